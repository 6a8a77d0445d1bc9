"""Executions: their rows, from the start of a workflow to its end."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

import swf
from swf.config import Configuration, TestbedSection, WorkflowSection
from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.names import execution_id
from swf.core.times import Clock
from swf.store.counters import next_number
from swf.store.models import WorkflowDefinition, WorkflowExecution

Status = WorkflowExecution.Status


def start_execution(
    configuration: Configuration,
    definition: Path,
    user: str,
    clock: Clock,
    status: WorkflowExecution.Status = WorkflowExecution.Status.RUNNING,
) -> WorkflowExecution:
    """The row of a new execution, with every effective value and where it came from.

    With the status `requested` it is for an agent to take.
    """
    text = definition.read_text(encoding="utf-8")
    with transaction.atomic():  # no number is taken without an execution that has it
        workflow = configuration.section(WorkflowSection).name
        name = execution_id(workflow, user, next_number(f"execution:{workflow}:{user}"))
        facts = _facts(configuration, text, user, clock.now())
        return WorkflowExecution.objects.create(execution_id=name, status=status, **facts)


def adopt_execution(name: str, configuration: Configuration, who: str, at: datetime, run_number: int) -> bool:
    """Make the row of an execution that `who` has begun elsewhere, whose run is processed here by this configuration.

    Returns False where it is there already.
    """
    text = json.dumps(configuration.as_parameters(), sort_keys=True)
    facts = _facts(configuration, text, who, at)
    facts |= {"run_number": run_number, "status_reason": f"begun elsewhere, by {who}"}
    _, made = WorkflowExecution.objects.get_or_create(execution_id=name, defaults=facts)
    return made


def _facts(configuration: Configuration, definition: str, who: str, at: datetime) -> dict[str, Any]:
    """What is kept of every execution; its definition is kept beside."""
    workflow = configuration.section(WorkflowSection)
    kept, _ = WorkflowDefinition.objects.get_or_create(
        workflow_name=workflow.name,
        version=workflow.version,
        digest=hashlib.sha256(definition.encode()).hexdigest(),
        defaults={
            "workflow_type": configuration.kind.name,
            "definition": definition,
            "created_by": who,
            "created_at": at,
        },
    )
    return {
        "workflow_definition": kept,
        "namespace": configuration.section(TestbedSection).namespace,
        "parameter_values": configuration.as_parameters(),
        "parameter_origins": configuration.origins(),
        "code_version": swf.__version__,
        "start_time": at,
        "executed_by": who,
    }


def reconfigure(execution: WorkflowExecution, configuration: Configuration) -> None:
    """Record the values with which an execution goes on."""
    execution.parameter_values = configuration.as_parameters()
    execution.parameter_origins = configuration.origins()
    execution.save(update_fields=["parameter_values", "parameter_origins"])


def resumable(name: str) -> WorkflowExecution:
    """The execution of that name, to be gone on with.

    Raises:
        UnknownNameError: there is none.
        IllegalMoveError: it has come to its end.
    """
    execution = WorkflowExecution.objects.select_related("workflow_definition").filter(pk=name).first()
    if execution is None:
        recent = WorkflowExecution.objects.order_by("-start_time").values_list("execution_id", flat=True)[:5]
        raise UnknownNameError(f"there is no execution {name!r} here; the latest: {', '.join(recent) or 'none'}")
    if execution.status in {Status.COMPLETED, Status.STOPPED}:
        raise IllegalMoveError(f"the execution {name} is {execution.status}: there is nothing to go on with")
    return execution


def set_status(execution: WorkflowExecution, status: WorkflowExecution.Status, clock: Clock, reason: str = "") -> None:
    """Record where an execution is; an end is given its time."""
    ended = status in {Status.COMPLETED, Status.FAILED, Status.STOPPED}
    execution.status, execution.status_reason = status, reason
    execution.end_time = clock.now() if ended else None
    execution.save(update_fields=["status", "status_reason", "end_time"])


def mark_interrupted(current: WorkflowExecution) -> None:
    """Say of other executions that are `running` that their process has gone: this one holds the data directory."""
    gone = WorkflowExecution.objects.filter(status=Status.RUNNING).exclude(pk=current.pk)
    gone.update(status=Status.PAUSED, status_reason="its process ended without a word; it can be resumed")


def request_again(execution: WorkflowExecution, configuration: Configuration) -> None:
    """Ask an agent to go on with an execution.

    Raises:
        IllegalMoveError: it goes on already.
    """
    if execution.status in {Status.REQUESTED, Status.RUNNING}:
        raise IllegalMoveError(f"the execution {execution.execution_id} is {execution.status}: it goes on by itself")
    reconfigure(execution, configuration)
    execution.status, execution.status_reason = Status.REQUESTED, ""
    execution.pause_requested_by, execution.taken_by, execution.end_time = "", "", None
    execution.save(update_fields=["status", "status_reason", "pause_requested_by", "taken_by", "end_time"])


def request_pause(execution_id: str, who: str) -> None:
    """Ask the agent that plays an execution to hold it. One that no agent has taken yet is held at once."""
    of_it = WorkflowExecution.objects.filter(pk=execution_id)
    of_it.update(pause_requested_by=who)
    of_it.filter(status=Status.REQUESTED).update(status=Status.PAUSED, status_reason=f"paused by {who}")


def request_stop(execution: WorkflowExecution, who: str, reason: str) -> None:
    """Ask the process that runs an execution to end its run; it closes it properly.

    Raises:
        IllegalMoveError: it has come to its end.
    """
    if execution.status in {Status.COMPLETED, Status.STOPPED, Status.FAILED}:
        raise IllegalMoveError(f"the execution {execution.execution_id} is {execution.status}: it cannot be stopped")
    execution.stop_requested_by, execution.stop_reason = who, reason
    execution.save(update_fields=["stop_requested_by", "stop_reason"])
