"""What an operator may wish of an execution: that it is stopped, or held."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from swf.core.errors import IllegalMoveError
from swf.core.modes import Mode
from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.service.executions import Status, request_pause, request_stop
from swf.service.queries.executions import execution_row


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionWish(Shown):
    """A wish that was put down with an execution; whoever plays it carries it out."""

    execution: str
    run: int | None
    wish: str
    by: str
    reason: str
    text: str


def stop_execution(name: str, who: str, reason: str, scene: Scene, *, dry_run: bool = False) -> ExecutionWish:
    """Ask for the end of an execution: its run is ended in order and closed.

    Raises:
        UnknownNameError: there is none of that name.
        IllegalMoveError: it has come to its end.
    """
    row = execution_row(name, scene)
    with transaction.atomic():
        request_stop(row, who, reason)
        transaction.set_rollback(dry_run)
    goes_on = row.status == Status.RUNNING and scene.process is not None
    when = "its run is being ended" if goes_on else "it is ended when it goes on"
    return ExecutionWish(
        execution=name, run=row.run_number, wish="stop", by=who, reason=reason, text=f"{name} is to stop: {when}"
    )


def pause_execution(
    name: str, who: str, reason: str, scene: Scene, mode: Mode, *, dry_run: bool = False
) -> ExecutionWish:
    """Ask for an execution to be held: its DAQ takes no more data until it is resumed, and what is queued is processed.

    Raises:
        UnknownNameError: there is none of that name.
        IllegalMoveError: it does not go on; or one process runs it all, which only its terminal can hold.
    """
    row = execution_row(name, scene)
    if row.status not in {Status.REQUESTED, Status.RUNNING}:
        raise IllegalMoveError(f"the execution {name} is {row.status}: there is nothing to hold")
    if mode is Mode.EMBEDDED:
        raise IllegalMoveError(
            f"the execution {name} runs in the embedded mode, in one process: hold it with Ctrl-C in the terminal of "
            f"`testbed run`, and go on with: testbed run --resume {name}"
        )
    with transaction.atomic():
        request_pause(name, who)
        transaction.set_rollback(dry_run)
    text = f"{name} is to be held; go on with: testbed run --resume {name}"
    return ExecutionWish(execution=name, run=row.run_number, wish="pause", by=who, reason=reason, text=text)
