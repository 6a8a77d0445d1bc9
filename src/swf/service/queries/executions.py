"""Executions of workflows, with their parameters and where each came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter, instant, words
from swf.store.listing import Listing, both
from swf.store.models import WorkflowExecution

Status = WorkflowExecution.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLine(Shown):
    """An execution in one line. `alive` says whether a process is at work where the status says `running`."""

    execution: str
    workflow: str
    version: str
    namespace: str
    status: str
    status_reason: str
    alive: bool
    run: int | None
    executed_by: str
    started: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionDetail(Shown):
    """An execution. `parameter_values` has every effective value, section by section, and `parameter_origins` where
    each came from, by `section.key`."""

    execution: str
    workflow: str
    kind: str
    version: str
    digest: str
    namespace: str
    status: str
    status_reason: str
    alive: bool
    run: int | None
    executed_by: str
    started: datetime
    ended: datetime | None
    code_version: str
    taken_by: str
    pause_requested_by: str
    stop_requested_by: str
    stop_reason: str
    parameter_values: dict[str, Any]
    parameter_origins: dict[str, Any]


def show_execution(name: str, scene: Scene) -> ExecutionDetail:
    """An execution with its parameters.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = execution_row(name, scene)
    definition = row.workflow_definition
    return ExecutionDetail(
        execution=row.execution_id,
        workflow=definition.workflow_name,
        kind=definition.workflow_type,
        version=definition.version,
        digest=definition.digest,
        namespace=row.namespace,
        status=row.status,
        status_reason=row.status_reason,
        alive=_alive(row, scene),
        run=row.run_number,
        executed_by=row.executed_by,
        started=row.start_time,
        ended=row.end_time,
        code_version=row.code_version,
        taken_by=row.taken_by,
        pause_requested_by=row.pause_requested_by,
        stop_requested_by=row.stop_requested_by,
        stop_reason=row.stop_reason,
        parameter_values=row.parameter_values,
        parameter_origins=row.parameter_origins,
    )


def execution_row(name: str, scene: Scene) -> WorkflowExecution:
    """The row of an execution, with its definition.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = WorkflowExecution.objects.select_related("workflow_definition").filter(pk=name).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no execution {name[:100]!r} {here(scene.namespaces)}")
    return row


def _lines(rows: Sequence[WorkflowExecution], scene: Scene) -> list[ExecutionLine]:
    return [
        ExecutionLine(
            execution=row.execution_id,
            workflow=row.workflow_definition.workflow_name,
            version=row.workflow_definition.version,
            namespace=row.namespace,
            status=row.status,
            status_reason=row.status_reason,
            alive=_alive(row, scene),
            run=row.run_number,
            executed_by=row.executed_by,
            started=row.start_time,
            ended=row.end_time,
        )
        for row in rows
    ]


def _alive(row: WorkflowExecution, scene: Scene) -> bool:
    return row.status == Status.RUNNING and scene.process is not None


EXECUTION_FILTERS = {
    "namespace": of_namespace(),
    "status": words("In this state.", "status", Status.values),
    "workflow": Filter(text="Of the workflow of this name.", lookup="workflow_definition__workflow_name"),
    "executed_by": Filter(text="Started by this user.", lookup="executed_by"),
    "run": of_run(),
    "since": instant("Started at this instant or later.", "start_time__gte"),
    "until": instant("Started before this instant.", "start_time__lt"),
}
"""What executions, and the runs that they take, can be filtered by."""

EXECUTIONS = Listing(
    name="workflow-executions",
    text="Executions of workflows, the newest first.",
    rows=lambda: WorkflowExecution.objects.select_related("workflow_definition").defer(
        "parameter_values", "parameter_origins", "workflow_definition__definition"
    ),
    lines=_lines,
    line=ExecutionLine,
    filters=EXECUTION_FILTERS,
    orders=both("started", "start_time", "execution_id") | both("execution", "execution_id"),
)
