"""What who asks may do, for applications that are served beside Django: live events, tools."""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections

from swf.web.access import Access, access_of


async def access_in(scope: MutableMapping[str, Any]) -> Access:
    """What who sent a request may do, by its session or its token, as `access_of` does for Django's requests."""
    return await sync_to_async(_looked_up)(scope)


def _looked_up(scope: MutableMapping[str, Any]) -> Access:
    request = ASGIRequest(dict(scope), BytesIO())
    engine = import_module(settings.SESSION_ENGINE)
    try:
        request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        request.user = get_user(request)
        return access_of(request)
    finally:
        close_old_connections()
