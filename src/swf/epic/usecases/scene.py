"""What an explanation says of an execution at an instant: whether it goes on, and what to do where it does not."""

from __future__ import annotations

from datetime import datetime

from swf.core.figures import duration
from swf.core.scene import Scene
from swf.epic.usecases.lookup import execution_named
from swf.store.models import WorkflowExecution

Status = WorkflowExecution.Status


def standing(execution_id: str, scene: Scene) -> tuple[str, tuple[str, ...]]:
    """Where an execution is, in a sentence, and what a person can do about it where it does not go on by itself."""
    execution = execution_named(execution_id) if execution_id else None
    if execution is None:
        return "Its execution is not known here.", ()
    said = f"Execution {execution.execution_id} is {execution.status}"
    reason = f" ({execution.status_reason})" if execution.status_reason else ""
    if execution.status in {Status.COMPLETED, Status.STOPPED}:
        return f"{said}{reason}.", ()
    resume = (resume_command(execution.execution_id),)
    if execution.status != Status.RUNNING:
        return f"{said}{reason}: nothing of it goes on until it is resumed.", resume
    if scene.process is None:
        return f"{said} by its record, but no process runs it: it was ended without notice.", resume
    return f"{said}, in process {scene.process}.", ()


def goes_on(execution_id: str, scene: Scene) -> bool:
    """Whether an execution goes on by itself."""
    execution = execution_named(execution_id) if execution_id else None
    return execution is not None and execution.status == Status.RUNNING and scene.process is not None


def resume_command(execution_id: str) -> str:
    """What to type to go on with an execution."""
    return f"testbed run --resume {execution_id}"


def ago(instant: datetime, now: datetime) -> str:
    """How long ago, for a person."""
    seconds = (now - instant).total_seconds()
    return "just now" if seconds < 1 else f"{duration(seconds)} ago"
