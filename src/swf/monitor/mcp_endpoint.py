"""Tools for AI assistants at /mcp: the streamable HTTP of the Model Context Protocol, under the tokens of REST."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from swf.monitor.asgi import Receive, Scope, Send
from swf.store import database
from swf.web.access import Access
from swf.web.asgi_access import access_in
from swf.web.problems import MEDIA_TYPE, Problem, problem

PATH: Final = "/mcp"


class McpEndpoint:
    """An ASGI application. Each request stands for itself: there are no sessions to take over, and any process that
    serves the same store can answer.

    Args:
        server: the tools.
    """

    def __init__(self, server: MCPServer) -> None:
        # Whose names and addresses may be asked is checked for all of the monitor before it comes here.
        server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=True,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self._manager = server.session_manager

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answer within this block."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["swf.route"] = PATH
        try:
            access = await access_in(scope)
            scope["swf.user"] = access.who
            refusal = _refusal(access, scope["method"])
        except database.FAILURES:
            refusal = problem(503, "the database does not answer; come again later")
        if refusal is None:
            await self._manager.handle_request(scope, receive, send)
        else:
            await _refuse(refusal, send)


def _refusal(access: Access, method: str) -> Problem | None:
    # A session is for pages: a page of another site could have a browser send its cookie.
    if access.via != "token":
        return problem(401, "tools need a token: send the header Authorization: Bearer TOKEN")
    if not access.grants:
        return problem(403, f"{access.who} may see nothing yet; an administrator can grant a role")
    if method != "POST":
        # Without sessions there is nothing to listen to, and nothing to end.
        return problem(405, "tools are called with POST")
    return None


async def _refuse(what: Problem, send: Send) -> None:
    body = json.dumps(what.as_json()).encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if what.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="swf-testbed"'))
    if what.status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": what.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
