"""The tools of the particle-physics workflows for AI assistants."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer


def add_tools(server: MCPServer) -> None:
    """Add this instrument's tools to the monitor's server."""
