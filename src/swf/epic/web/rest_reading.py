"""Reading runs, STFs, TF sample files, slices and what is known about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from swf.core.times import SystemClock
from swf.epic.usecases.comparison import Comparison, compare_runs
from swf.epic.usecases.daq_states import DAQ_STATES
from swf.epic.usecases.explain import explain
from swf.epic.usecases.explanation import EventView
from swf.epic.usecases.histograms import RunHistograms, run_histograms
from swf.epic.usecases.latency import RunLatency, run_latency
from swf.epic.usecases.replay import replay
from swf.epic.usecases.runs import RUNS, RunDetail, show_run
from swf.epic.usecases.samples import SAMPLES, SampleDetail, show_sample
from swf.epic.usecases.slices import SLICES, SliceDetail, show_slice
from swf.epic.usecases.stfs import STFS, StfDetail, show_stf
from swf.epic.usecases.summary import RunSummary, ledger_as_json, run_ledger, run_summary
from swf.epic.usecases.workflow_monitor import WorkflowMonitor, workflow_monitor
from swf.web.exporting import streamed
from swf.web.rest.answers import answered
from swf.web.rest.details import add_detail
from swf.web.rest.lists import add_list, refuse_unknown
from swf.web.rest.values import Name, RunNumber
from swf.web.scene import scene_of

router = Router()
_PIECE = 500

for _listing, _tag in (
    (RUNS, "runs"),
    (STFS, "STFs"),
    (SAMPLES, "TF sample files"),
    (SLICES, "slices"),
    (DAQ_STATES, "DAQ"),
):
    add_list(router, _listing, _tag)

add_detail(router, "/runs/{key}", show_run, RunDetail, RunNumber, tag="runs", operation="show_run")
add_detail(router, "/stf-files/{key}", show_stf, StfDetail, Name, tag="STFs", operation="show_stf_file")
add_detail(router, "/tf-files/{key}", show_sample, SampleDetail, Name, tag="TF sample files", operation="show_tf_file")
add_detail(router, "/tf-slices/{key}", show_slice, SliceDetail, Name, tag="slices", operation="show_tf_slice")
add_detail(
    router,
    "/runs/{key}/latency",
    run_latency,
    RunLatency,
    RunNumber,
    tag="runs",
    operation="show_run_latency",
)
add_detail(
    router,
    "/runs/{key}/histograms",
    run_histograms,
    RunHistograms,
    RunNumber,
    tag="runs",
    operation="show_run_histograms",
)
add_detail(
    router,
    "/workflow-executions/{key}/monitor",
    workflow_monitor,
    WorkflowMonitor,
    Name,
    tag="executions",
    operation="get_workflow_monitor",
)


class UndoneUnit(Schema):
    """A unit that is not done at a stage; `part_of` is the STF of a sample file or slice."""

    name: str
    stage: str
    word: str
    reason: str
    part_of: str


class LedgerOfRun(Schema):
    """The account of a run: produced = registered + missing, and the number of STFs in each state at each stage."""

    run: int
    produced: int | None
    registered: int
    missing: int
    balanced: bool
    complete: bool
    stages: dict[str, dict[str, int]]
    undone: list[UndoneUnit]
    undone_total: int


class AttemptAtItem(Schema):
    """One attempt at a work item, as it ended."""

    attempt: int
    outcome: str
    holder: str
    finished: str
    seconds: float
    exit_code: int | None
    detail: str
    stderr_tail: str


class EventInShort(Schema):
    """A row of the event log without its body."""

    seq: int | None
    at: str
    kind: str
    type: str
    subject: str
    sender: str
    text: str


class Explained(Schema):
    """Why a thing is as it is: one sentence per link of the chain, and what a person can do next."""

    name: str
    kind: str
    state: str
    what: str
    why: list[str]
    next: list[str]
    stages: dict[str, str]
    parts: dict[str, dict[str, int]]
    attempts: list[AttemptAtItem]
    events: list[EventInShort]


@router.get(
    "/runs/{key}/ledger",
    response=LedgerOfRun,
    operation_id="show_run_ledger",
    summary="The account of a run, and the name of each unit that is not done",
    tags=["runs"],
)
def ledger(request: HttpRequest, key: RunNumber) -> HttpResponse:
    """Counted from the rows as they are now."""
    refuse_unknown(request, {})
    found = run_ledger(key, scene_of(request).namespaces)
    return answered(request, {"run": key, **ledger_as_json(found)})


@router.get(
    "/runs/{key}/summary",
    response=RunSummary,
    operation_id="show_run_summary",
    summary="The figures of a run: STFs, samples, slices, hits, the ledger, products, messages and agents",
    tags=["runs"],
)
def summary(request: HttpRequest, key: RunNumber) -> HttpResponse:
    """Counted from the rows as they are now, which takes some time with a large run."""
    refuse_unknown(request, {})
    return answered(request, run_summary(key, scene_of(request).namespaces).as_json())


@router.get(
    "/runs/{key}/explain",
    response=Explained,
    operation_id="explain_run",
    summary="Why a run is as it is, and what to do next",
    tags=["runs"],
)
def explain_run(request: HttpRequest, key: RunNumber) -> HttpResponse:
    """The same as /explain/{name} with the run's number."""
    refuse_unknown(request, {})
    return answered(request, explain(str(key), scene_of(request)).as_json())


@router.get(
    "/explain/{key}",
    response=Explained,
    operation_id="explain",
    summary="Why anything that has a name is as it is, and what to do next",
    tags=["runs"],
)
def explain_any(request: HttpRequest, key: Name) -> HttpResponse:
    """A run, STF, TF sample file, slice, execution, dataset, agent or product."""
    refuse_unknown(request, {})
    return answered(request, explain(key, scene_of(request)).as_json())


@router.get(
    "/run-comparison",
    response=Comparison,
    operation_id="compare_runs",
    summary="What differs between two runs: parameters with their origin, and figures",
    tags=["runs"],
)
def compare(
    request: HttpRequest,
    first: Annotated[int, Query(ge=1, le=2**31 - 1, description="The number of a run.")],
    second: Annotated[int, Query(ge=1, le=2**31 - 1, description="The number of another one.")],
) -> HttpResponse:
    """Figures are those that the agents keep."""
    refuse_unknown(request, {"first": None, "second": None})
    return answered(request, compare_runs(first, second, scene_of(request)).as_json())


class ReplayQuery(Schema):
    """Where a replay begins."""

    first: int = Field(0, alias="from", ge=0, le=2**53, description="Begin with the event of this number.")


@router.get(
    "/runs/{key}/replay",
    operation_id="replay_run",
    summary="The events of a run in their order, one JSON object per line",
    tags=["runs"],
    openapi_extra={
        "responses": {
            200: {
                "description": "The events; who stopped goes on with the last number plus 1.",
                "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
            }
        }
    },
)
def replayed(request: HttpRequest, key: RunNumber, asked: Query[ReplayQuery]) -> StreamingHttpResponse:
    """At once; a reader that wants the original pace has the instants."""
    refuse_unknown(request, {"from": None})
    events = replay(key, clock=SystemClock(), wait=_never, first=asked.first, namespaces=scene_of(request).namespaces)
    return streamed(request, _lines(events), "application/x-ndjson")


def _never(seconds: float) -> None:
    """Nothing is waited for at speed 0."""


def _lines(events: Iterator[EventView]) -> Iterator[str]:
    while piece := list(islice(events, _PIECE)):
        yield "".join(json.dumps(event.as_json(), ensure_ascii=False) + "\n" for event in piece)
