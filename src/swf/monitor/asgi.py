"""The application that the server runs: Django, and beside it what Django does not serve."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from django.core.asgi import get_asgi_application

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def by_path(mounted: Mapping[str, Application], otherwise: Application) -> Application:
    """Requests of some paths go to applications of their own, all others to one.

    Args:
        mounted: an application by its path; it gets that path and everything below it.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        for prefix, each in mounted.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                await each(scope, receive, send)
                return
        await otherwise(scope, receive, send)

    return application


def with_life(around: Callable[[], AbstractAsyncContextManager[None]], inner: Application) -> Application:
    """An application with something that is open while the server serves.

    Args:
        around: opens it when the server starts, and closes it when the server begins to end.
        inner: what answers meanwhile.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await inner(scope, receive, send)
            return
        await receive()
        async with around():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return application


def inner_application() -> Application:
    """Everything that is served, without what guards it. Django is set up already."""
    # These import models.
    from swf.monitor.live.feed import EventFeed
    from swf.monitor.live.stream import PATH as EVENTS
    from swf.monitor.live.stream import EventStream
    from swf.monitor.mcp_endpoint import PATH as TOOLS
    from swf.monitor.mcp_endpoint import McpEndpoint
    from swf.monitor.parts import parts
    from swf.monitor.tools import tool_server

    feed, tools = EventFeed(parts().figures), McpEndpoint(tool_server(parts().instruments))
    django: Application = get_asgi_application()  # type: ignore[assignment]

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        async with AsyncExitStack() as closing:
            await closing.enter_async_context(tools.open())
            closing.push_async_callback(feed.end)
            yield

    return with_life(around, by_path({EVENTS: EventStream(feed), TOOLS: tools}, django))
