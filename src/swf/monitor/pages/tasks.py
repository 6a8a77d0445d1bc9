"""The page about tasks of batch systems."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    """What batch systems were asked to do."""
    return render(request, "swf/tasks.html", {})
