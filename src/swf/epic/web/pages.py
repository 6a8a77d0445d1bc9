"""The addresses of the pages of the particle-physics workflows."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from swf.epic.web import decisions, details, runs, workflows
from swf.epic.web.lists import LIST_PAGES
from swf.web.lists import list_view

urlpatterns: list[URLPattern | URLResolver] = [
    *(path(page.path.lstrip("/"), list_view(page), name=page.path.lstrip("/")) for page in LIST_PAGES),
    path("runs/<int:number>", runs.run, name="run"),
    path("runs/<int:number>/histograms.json", runs.histograms, name="run-histograms"),
    path("runs/<int:number>/panel/<slug:name>", runs.panel, name="run-panel"),
    path("runs/<int:number>/stop", decisions.stop, name="run-stop"),
    path("runs/<int:number>/comment", decisions.comment, name="run-comment"),
    path("runs/<int:number>/retry", decisions.retry_all, name="run-retry"),
    path("stfs/<str:name>", details.stf, name="stf"),
    path("slices/<str:name>", details.slice_, name="slice"),
    path("slices/<str:name>/retry", decisions.retry_slice, name="slice-retry"),
    path("why/<str:name>", details.why, name="why"),
    path("workflows", workflows.workflows, name="workflows"),
    path("workflows/<str:name>", workflows.workflow, name="workflow"),
    path("workflows/<str:name>/start", workflows.start, name="workflow-start"),
]
