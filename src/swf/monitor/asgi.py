"""The application that the server runs: Django, and beside it what Django does not serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
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


def inner_application() -> Application:
    """Everything that is served, without what guards it. Django is set up already."""
    django: Application = get_asgi_application()  # type: ignore[assignment]
    return by_path({}, django)
