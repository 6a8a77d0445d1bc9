"""The two ways in which a testbed runs."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How the agents run."""

    EMBEDDED = "embedded"
    """All in one process, with SQLite and no broker."""
    SERVICE = "service"
    """Each in a process of its own, with PostgreSQL and ActiveMQ."""
