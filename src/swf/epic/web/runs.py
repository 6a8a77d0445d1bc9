"""The page of a run. What costs more than a look by key is a panel of its own, fetched when the page is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from swf.core.scene import Scene
from swf.core.work import WorkState
from swf.epic.usecases.comparison import compare_runs
from swf.epic.usecases.histograms import run_histograms
from swf.epic.usecases.latency import run_latency
from swf.epic.usecases.lookup import find_run, parse_run_number
from swf.epic.usecases.runs import RUNS, RunDetail, show_run
from swf.epic.usecases.slices import SLICES
from swf.epic.usecases.summary import ledger_as_json, run_ledger, run_summary
from swf.epic.usecases.timeline import timeline
from swf.epic.web import columns
from swf.service.queries.executions import show_execution
from swf.service.queries.logs import LOGS
from swf.service.queries.run_notes import RUN_NOTES
from swf.store.listing import Question
from swf.web.access import Role, access_of
from swf.web.columns import Column, Show
from swf.web.looking import looking
from swf.web.tones import tone

_LONG_RUN: Final = 5000
"""STFs."""
_ENDED: Final = frozenset({"completed", "stopped", "failed"})
_LATENCY_COLUMNS = (
    Column(title="Stage", field="stage"),
    Column(title="From … to", field="text", show=Show.WORDS),
    Column(title="Units", field="units", show=Show.NUMBER),
    Column(title="p50", field="p50_s", show=Show.SECONDS),
    Column(title="p99", field="p99_s", show=Show.SECONDS),
)
_DIFFERENCE_COLUMNS = (
    Column(title="Parameter", field="parameter", show=Show.NAME),
    Column(title="Here", value=lambda line: str(line.first), show=Show.WORDS),
    Column(title="From", field="first_origin", show=Show.WORDS),
    Column(title="There", value=lambda line: str(line.second), show=Show.WORDS),
    Column(title="From", field="second_origin", show=Show.WORDS),
)
_FIGURE_COLUMNS = (
    Column(title="Figure", value=lambda line: line.name.replace("_", " ")),
    Column(title="Here", field="first", show=Show.NUMBER),
    Column(title="There", field="second", show=Show.NUMBER),
)
_PARAMETER_COLUMNS = (
    Column(title="Parameter", value=lambda line: line[0], show=Show.NAME),
    Column(title="Value", value=lambda line: line[1], show=Show.WORDS),
    Column(title="From", value=lambda line: line[2], show=Show.WORDS),
)
_LOG_COLUMNS = (
    Column(title="At (UTC)", field="at", show=Show.INSTANT),
    Column(title="Level", field="level", show=Show.STATE),
    Column(title="Agent", field="agent", show=Show.NAME),
    Column(title="Event", field="event", show=Show.WORDS),
    Column(
        title="Fields", value=lambda line: ", ".join(f"{k} {v}" for k, v in line.fields.items())[:400], show=Show.WORDS
    ),
)


@require_safe
def run(request: HttpRequest, number: int) -> HttpResponse:
    """The page: its head and what it shows at once."""
    scene = looking(request)
    found = show_run(parse_run_number(str(number)), scene)
    context = {**_overview(request, found, scene), "run": found, "next": request.get_full_path()}
    template = "epic/run_live.html" if request.headers.get("HX-Request") else "epic/run.html"
    return render(request, template, context)


def _overview(request: HttpRequest, found: RunDetail, scene: Scene) -> dict[str, Any]:
    figures = found.figures
    states = [
        (WorkState.COMPLETED, figures.get("slices_completed", 0)),
        (WorkState.PROCESSING, figures.get("slices_processing", 0)),
        (WorkState.QUEUED, figures.get("slices_queued", 0)),
        (WorkState.FAILED, figures.get("slices_failed", 0)),
    ]
    return {
        "slices": parts(states),
        "timeline": timeline(found.run, scene),
        "gone": found.status == "running" and not found.alive,
        "may": access_of(request).may(Role.OPERATOR, found.namespace),
        "stoppable": bool(found.execution) and found.ended is None and found.status not in _ENDED,
        "over": found.closed is not None,
        # To count all units of a long run takes its time: that is not done again and again.
        "recounted": found.closed is None and figures.get("stf_registered", 0) < _LONG_RUN,
    }


def parts(states: list[tuple[Any, int]]) -> list[dict[str, Any]]:
    """Numbers by state as parts of a bar: where each begins and how long it is, in percent."""
    total = sum(number for _, number in states)
    shown, begin = [], 0.0
    for word, number in states:
        length = 100 * number / total if total else 0.0
        shown.append(
            {
                "word": str(word),
                "number": number,
                "tone": tone(str(word)),
                "begin": f"{begin:.3f}",
                "length": f"{length:.3f}",
            }
        )
        begin += length
    return shown


def _ledger(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    ledger = run_ledger(number, scene.namespaces)
    return {"ledger": ledger, "stages": ledger_as_json(ledger)["stages"]}


def _latency(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    return {"columns": _LATENCY_COLUMNS, "lines": list(run_latency(number, scene).stages)}


def _totals(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    return {"summary": run_summary(number, scene.namespaces)}


def _attempts(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    failed = SLICES.page(Question(filters={"run": number, "status": "failed,expired,cancelled"}, limit=20), scene)
    again = SLICES.page(Question(filters={"run": number, "attempts": 2}, limit=20), scene)
    return {"columns": columns.SLICE_COLUMNS, "failed": list(failed.items), "again": list(again.items)}


def _logs(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    lines = LOGS.page(Question(filters={"run": number}, limit=20), scene).items
    return {"columns": _LOG_COLUMNS, "lines": list(lines)}


def _parameters(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    found = show_run(number, scene)
    if not found.execution:
        return {"columns": _PARAMETER_COLUMNS, "lines": []}
    execution = show_execution(found.execution, scene)
    lines = [
        (f"{section}.{key}", str(value), str(execution.parameter_origins.get(f"{section}.{key}", "")))
        for section, values in execution.parameter_values.items()
        if isinstance(values, dict)
        for key, value in values.items()
    ]
    return {"columns": _PARAMETER_COLUMNS, "lines": lines}


def _compare(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    wanted = request.GET.get("with", "").strip()
    others = [line.run for line in RUNS.page(Question(limit=20), scene).items if line.run and line.run != number]
    context: dict[str, Any] = {"others": others, "wanted": wanted}
    if not wanted:
        return context
    comparison = compare_runs(number, parse_run_number(wanted), scene)
    return {
        **context,
        "comparison": comparison,
        "difference_columns": _DIFFERENCE_COLUMNS,
        "differences": list(comparison.differences),
        "figure_columns": _FIGURE_COLUMNS,
        "figures": list(comparison.figures),
    }


def _comments(request: HttpRequest, number: int, scene: Scene) -> Mapping[str, Any]:
    found = show_run(number, scene)
    notes = RUN_NOTES.page(Question(filters={"run": number}, limit=50), scene).items
    return {"notes": notes, "may": access_of(request).may(Role.OPERATOR, found.namespace)}


PANELS: Final[Mapping[str, Callable[[HttpRequest, int, Scene], Mapping[str, Any]]]] = {
    "ledger": _ledger,
    "latency": _latency,
    "totals": _totals,
    "attempts": _attempts,
    "logs": _logs,
    "parameters": _parameters,
    "compare": _compare,
    "comments": _comments,
}
"""The panels of the page that are fetched: what each is given."""


@require_safe
def panel(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """One panel of the page."""
    if name not in PANELS:
        raise Http404
    scene = looking(request)
    find_run(parse_run_number(str(number)), scene.namespaces)
    context = {"number": number, **PANELS[name](request, number, scene)}
    return render(request, f"epic/panel_{name}.html", context)


@require_safe
def histograms(request: HttpRequest, number: int) -> HttpResponse:
    """The monitoring histograms, for the charts of the page."""
    return JsonResponse(run_histograms(number, looking(request)).as_json())
