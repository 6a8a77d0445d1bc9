"""Whether the process lives, and whether it can serve: for whoever watches over it. They tell nothing else."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from swf.core.errors import SwfError
from swf.store import schema


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
    except (DatabaseError, SwfError):
        parts = {"database": "does not answer", "schema": "unknown"}
    ready = set(parts.values()) == {"ok"}
    made = {"status": "ok" if ready else "not ready", **parts}
    return JsonResponse(made, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
