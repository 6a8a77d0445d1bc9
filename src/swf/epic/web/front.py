"""What the first page shows of the particle-physics workflows."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from swf.epic.usecases.machine import machine
from swf.epic.usecases.pipelines import pipelines
from swf.epic.usecases.runs import RUNS
from swf.epic.web.columns import RUN_COLUMNS
from swf.store.listing import Question
from swf.web.looking import looking


def now_panels(request: HttpRequest) -> SafeString:
    """The machine, and the runs in progress as pipelines."""
    scene = looking(request)
    context = {
        "machine": machine(scene),
        "pipelines": pipelines(scene),
        "latest": RUNS.page(Question(limit=6), scene).items,
        "run_columns": RUN_COLUMNS,
    }
    return render_to_string("epic/now.html", context, request=request)
