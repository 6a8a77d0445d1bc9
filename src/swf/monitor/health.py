"""Whether the process lives, whether it can serve, and its figures: for programs that watch over it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from swf.core.errors import ForbiddenError, SwfError
from swf.monitor.locality import is_local
from swf.monitor.parts import parts
from swf.store import schema
from swf.web.access import access_of


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers, and its tables are what this program expects; 503 where that is not so."""
    try:
        current = schema.state().current
        parts = {"database": "ok", "schema": "ok" if current else "of another version"}
    except (DatabaseError, InterfaceError, SwfError):
        parts = {"database": "does not answer", "schema": "unknown"}
    ready = set(parts.values()) == {"ok"}
    made = {"status": "ok" if ready else "not ready", **parts}
    return JsonResponse(made, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of this process for Prometheus: for who scrapes from this machine, or shows a token or session of
    somebody who may see something.

    Raises:
        ForbiddenError: neither.
    """
    if not is_local(request) and not access_of(request).grants:
        raise ForbiddenError(
            "figures are for scrapes from this machine, or with the header Authorization: Bearer TOKEN"
        )
    figures = parts().figures
    return HttpResponse(figures.text(), content_type=figures.media_type, headers={"Cache-Control": "no-store"})
