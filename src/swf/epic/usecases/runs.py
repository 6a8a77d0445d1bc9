"""Runs: what there is, and the operator's verbs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.times import rfc3339
from swf.epic.models import RunState
from swf.epic.usecases.explain_run import CLOSED
from swf.epic.usecases.explanation import NOT_ANNOUNCED
from swf.epic.usecases.lookup import execution_named, find_run, in_namespace
from swf.epic.usecases.scene import resume_command
from swf.service.executions import request_stop
from swf.store.models import Run, WorkflowExecution

Status = WorkflowExecution.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run in one line.

    `status` is its execution's; `alive` says whether a process is at work where the status says `running`. `state` is
    closed, the phase, or not_announced.
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
    stfs: int
    stfs_produced: int | None
    slices: int
    slices_completed: int
    slices_failed: int

    def as_json(self) -> dict[str, Any]:
        """The line as plain values."""
        return {**asdict(self), "started": rfc3339(self.started)}


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


def list_runs(namespace: str | None = None, *, process: int | None = None, limit: int = 50) -> tuple[RunLine, ...]:
    """The latest runs, the newest first, each with its execution, its state and its counts."""
    executions = WorkflowExecution.objects.select_related("workflow_definition").order_by("-start_time", "-run_number")
    if namespace is not None:
        executions = executions.filter(namespace=namespace)
    latest = list(executions[:limit])
    numbers = [execution.run_number for execution in latest if execution.run_number is not None]
    runs = {run.run_number: run for run in Run.objects.filter(pk__in=numbers)}
    # The figures that the agents keep: to count the rows of fifty runs anew would take seconds.
    states = RunState.objects.in_bulk(numbers)
    return tuple(
        _line(execution, runs.get(execution.run_number or 0), states.get(execution.run_number or 0), process)
        for execution in latest
    )


def stop_run(
    run_number: int, who: str, reason: str, *, process: int | None, namespace: str | None = None
) -> StopRequest:
    """Ask for the end of a run: the DAQ sends end_run, and the run is closed by its ledger.

    Args:
        run_number: the run.
        who: who asks; it is kept with the run.
        reason: why.
        process: the process that runs agents in the data directory; None where none does. Then the request is kept,
            and is carried out when the execution is resumed.
        namespace: the run's, where that is to be checked.

    Raises:
        UnknownNameError: there is no such run.
        IllegalMoveError: its execution has come to its end.
    """
    execution = _execution(run_number, namespace)
    run = Run.objects.filter(pk=run_number).first()
    if run is not None and run.end_time is not None:
        raise IllegalMoveError(
            f"the end of run {run_number} is announced already; to see what it waits for: testbed runs explain "
            f"{run_number}"
        )
    request_stop(execution, who, reason)
    name = execution.execution_id
    if process is None:
        text = (
            f"run {run_number} is not running: no process is at work in this data directory. The request is kept, and "
            "the run is ended in order when its execution is resumed"
        )
    else:
        text = f"process {process} will end run {run_number} and close it when all its STFs are accounted for"
    return StopRequest(
        run=run_number,
        execution=name,
        by=who,
        reason=reason,
        process=process,
        text=text,
        next=resume_command(name) if process is None else "",
    )


def _line(execution: WorkflowExecution, run: Run | None, figures: RunState | None, process: int | None) -> RunLine:
    phase = figures.phase if figures else NOT_ANNOUNCED
    return RunLine(
        run=execution.run_number,
        execution=execution.execution_id,
        workflow=execution.workflow_definition.workflow_name,
        namespace=execution.namespace,
        status=execution.status,
        alive=execution.status == Status.RUNNING and process is not None,
        state=CLOSED if run is not None and run.closed_at else phase,
        simulated=run is not None and run.simulated,
        started=execution.start_time,
        ended_by=run.ended_by if run else "",
        stfs=figures.stf_registered if figures else 0,
        stfs_produced=run.total_stf_files if run else None,
        slices=figures.slices_created if figures else 0,
        slices_completed=figures.slices_completed if figures else 0,
        slices_failed=figures.slices_failed if figures else 0,
    )


def _execution(run_number: int, namespace: str | None) -> WorkflowExecution:
    named = WorkflowExecution.objects.filter(run_number=run_number).values_list("execution_id", flat=True).first()
    execution = execution_named(named) if named else None
    if execution is None:
        run = find_run(run_number, namespace)
        raise UnknownNameError(f"run {run.run_number} belongs to no execution that is known here: it cannot be stopped")
    return in_namespace(execution, namespace, f"run {run_number}")
