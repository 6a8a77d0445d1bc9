"""Runs: what there is, and the operator's verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, sees
from swf.epic.models import RunState
from swf.epic.usecases.explain_run import CLOSED
from swf.epic.usecases.explanation import NOT_ANNOUNCED
from swf.epic.usecases.lookup import execution_named, execution_of, find_run
from swf.epic.usecases.scene import resume_command
from swf.service.executions import request_stop
from swf.service.queries.executions import EXECUTION_FILTERS
from swf.service.queries.run_notes import Verdict, verdicts_of
from swf.store.listing import Listing, both
from swf.store.models import Dataset, Run, WorkflowExecution

Status = WorkflowExecution.Status

_FIGURES = tuple(
    field.name
    for field in RunState._meta.concrete_fields
    if field.name.startswith(("stf", "tf_", "slices_", "target_", "active_"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine(Shown):
    """A run in one line.

    `status` is its execution's; `alive` says whether a process is at work where the status says `running`. `state` is
    closed, the phase, or not_announced. `verdict` is good or bad where somebody has judged it, and empty otherwise.
    """

    run: int | None
    execution: str
    workflow: str
    namespace: str
    status: str
    alive: bool
    state: str
    simulated: bool
    started: datetime
    ended_by: str
    verdict: str
    stfs: int
    stfs_produced: int | None
    slices: int
    slices_completed: int
    slices_failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail(Shown):
    """A run with the figures that the agents keep, found by keys alone; its summary counts the rows themselves.

    `phase`, `daq_state` and `daq_substate` are what the DAQ's messages said last, at `state_changed`. `ended` is when
    its end was announced, `closed` when its ledger balanced. `figures` are counts by name, empty before the run is
    announced.
    """

    run: int
    execution: str
    workflow: str
    namespace: str
    status: str
    status_reason: str
    alive: bool
    state: str
    phase: str
    daq_state: str
    daq_substate: str
    state_changed: datetime | None
    simulated: bool
    started: datetime
    ended: datetime | None
    closed: datetime | None
    ended_by: str
    stfs_produced: int | None
    figures: dict[str, int]
    datasets: tuple[str, ...]
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """What became of a request to stop a run. `process` is the one that will carry it out; None where none runs: then
    `next` is what has it carried out."""

    run: int
    execution: str
    by: str
    reason: str
    process: int | None
    text: str
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """The request as plain values."""
        return asdict(self)


def show_run(run_number: int, scene: Scene) -> RunDetail:
    """A run in the figures that the agents keep.

    Raises:
        UnknownNameError: there is no such run, or it is not announced yet.
    """
    run = find_run(run_number, scene.namespaces)
    execution = execution_of(run)
    figures = RunState.objects.filter(pk=run_number).first()
    return RunDetail(
        run=run.run_number,
        execution=run.execution_id,
        workflow=execution.workflow_definition.workflow_name if execution else "",
        namespace=run.namespace,
        status=execution.status if execution else "",
        status_reason=execution.status_reason if execution else "",
        alive=_alive(execution, scene),
        state=_state(run, figures),
        phase=figures.phase if figures else "",
        daq_state=figures.state if figures else "",
        daq_substate=figures.substate if figures else "",
        state_changed=figures.state_changed_at if figures else None,
        simulated=run.simulated,
        started=run.start_time,
        ended=run.end_time,
        closed=run.closed_at,
        ended_by=run.ended_by,
        stfs_produced=run.total_stf_files,
        figures=figures_of(figures),
        datasets=tuple(map(str, Dataset.objects.filter(run_number=run_number).order_by("id"))),
        verdict=verdicts_of([run_number]).get(run_number),
    )


def figures_of(state: RunState | None) -> dict[str, int]:
    """The counts of a run, by name."""
    return {name: getattr(state, name) for name in _FIGURES} if state else {}


def stop_run(run_number: int, who: str, reason: str, scene: Scene, *, dry_run: bool = False) -> StopRequest:
    """Ask for the end of a run: the DAQ sends end_run, and the run is closed by its ledger.

    Args:
        run_number: the run.
        who: who asks; it is kept with the run.
        reason: why.
        scene: the present. Where no process runs agents, the request is kept, and is carried out when the execution is
            resumed.
        dry_run: nothing is changed; what is returned is what would be.

    Raises:
        UnknownNameError: there is no such run.
        IllegalMoveError: its execution has come to its end.
    """
    execution = _execution(run_number, scene)
    run = Run.objects.filter(pk=run_number).first()
    if run is not None and run.end_time is not None:
        raise IllegalMoveError(
            f"the end of run {run_number} is announced already; to see what it waits for: testbed runs explain "
            f"{run_number}"
        )
    with transaction.atomic():
        request_stop(execution, who, reason)
        transaction.set_rollback(dry_run)
    name = execution.execution_id
    if scene.process is None:
        text = (
            f"run {run_number} is not running: no process is at work in this data directory. The request is kept, and "
            "the run is ended in order when its execution is resumed"
        )
    else:
        text = f"process {scene.process} will end run {run_number} and close it when all its STFs are accounted for"
    return StopRequest(
        run=run_number,
        execution=name,
        by=who,
        reason=reason,
        process=scene.process,
        text=text,
        next=resume_command(name) if scene.process is None else "",
    )


def _lines(executions: Sequence[WorkflowExecution], scene: Scene) -> list[RunLine]:
    numbers = [execution.run_number for execution in executions if execution.run_number is not None]
    runs = {run.run_number: run for run in Run.objects.filter(pk__in=numbers)}
    # The figures that the agents keep: to count the rows of fifty runs anew would take seconds.
    states = RunState.objects.in_bulk(numbers)
    verdicts = verdicts_of(numbers)
    return [_line(each, runs, states, verdicts, scene) for each in executions]


def _line(
    execution: WorkflowExecution,
    runs: Mapping[int, Run],
    states: Mapping[int, RunState],
    verdicts: Mapping[int, Verdict],
    scene: Scene,
) -> RunLine:
    number = execution.run_number or 0
    run, figures, verdict = runs.get(number), states.get(number), verdicts.get(number)
    return RunLine(
        run=execution.run_number,
        execution=execution.execution_id,
        workflow=execution.workflow_definition.workflow_name,
        namespace=execution.namespace,
        status=execution.status,
        alive=_alive(execution, scene),
        state=_state(run, figures),
        simulated=run is not None and run.simulated,
        started=execution.start_time,
        ended_by=run.ended_by if run else "",
        verdict=verdict.verdict if verdict else "",
        stfs=figures.stf_registered if figures else 0,
        stfs_produced=run.total_stf_files if run else None,
        slices=figures.slices_created if figures else 0,
        slices_completed=figures.slices_completed if figures else 0,
        slices_failed=figures.slices_failed if figures else 0,
    )


def _alive(execution: WorkflowExecution | None, scene: Scene) -> bool:
    return execution is not None and execution.status == Status.RUNNING and scene.process is not None


def _state(run: Run | None, figures: RunState | None) -> str:
    return CLOSED if run is not None and run.closed_at else figures.phase if figures else NOT_ANNOUNCED


def _execution(run_number: int, scene: Scene) -> WorkflowExecution:
    named = WorkflowExecution.objects.filter(run_number=run_number).values_list("execution_id", flat=True).first()
    execution = execution_named(named) if named else None
    if execution is not None and sees(scene.namespaces, execution.namespace):
        return execution
    run = find_run(run_number, scene.namespaces)
    raise UnknownNameError(f"run {run.run_number} belongs to no execution that is known here: it cannot be stopped")


RUNS = Listing(
    name="runs",
    text="The latest runs, the newest first, each with its execution, its state and its counts.",
    rows=lambda: WorkflowExecution.objects.select_related("workflow_definition").defer(
        "parameter_values", "parameter_origins", "workflow_definition__definition"
    ),
    lines=_lines,
    line=RunLine,
    filters=EXECUTION_FILTERS,
    orders=both("started", "start_time", "execution_id"),
)
