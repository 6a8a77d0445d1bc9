"""The namespace that a person has chosen to look at, within what they may see. It is kept in a cookie."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

from swf.core.names import is_namespace
from swf.web.access import Role, access_of

COOKIE: Final = "swf_namespace"


def chosen_namespace(request: HttpRequest) -> str | None:
    """The namespace that was chosen; None where none was, or it may not be seen."""
    name = request.COOKIES.get(COOKIE, "")
    return name if is_namespace(name) and access_of(request).may(Role.VIEWER, name) else None


def visible_namespaces(request: HttpRequest) -> frozenset[str] | None:
    """The namespaces whose rows a page shows: the chosen one, or all that may be seen. None: any."""
    chosen = chosen_namespace(request)
    return access_of(request).namespaces() if chosen is None else frozenset({chosen})
