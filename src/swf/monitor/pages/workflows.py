"""The pages about workflows that can be run, and about tasks of batch systems."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from swf.service.workflows import list_workflows
from swf.web.columns import Column, Show
from swf.web.marks import part
from swf.web.site import site

_COLUMNS = (
    Column(title="Workflow", field="name", show=Show.NAME, link=lambda line: f"/workflows/{part(line.name)}"),
    Column(title="Kind", value=lambda line: line.kind or "cannot be run"),
    Column(title="Version", field="version"),
    Column(title="What it does", value=lambda line: line.problem or line.description, show=Show.WORDS),
)


@require_safe
def workflows(request: HttpRequest) -> HttpResponse:
    """The workflows that can be run."""
    registry = site().workflows
    found = list_workflows(registry) if registry is not None else ()
    return render(request, "swf/workflows.html", {"workflows": list(found), "columns": _COLUMNS, "mode": site().mode})


@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    """What batch systems were asked to do."""
    return render(request, "swf/tasks.html", {})
