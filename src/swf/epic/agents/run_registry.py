"""Registering runs: the DAQ's notices become rows. Handlers of the data agent, the one writer of a run's state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from swf.core.messages import Body, Message
from swf.epic.agents.adoption import Adoption
from swf.epic.messages import DaqBody, EndRun, EpicBody, PauseRun, ResumeRun, RunImminent, StartRun
from swf.epic.models import RunState
from swf.epic.phases import RunPhase, RunTrigger, phase_after
from swf.epic.run_settings import RunBook
from swf.messaging.agent import Handler
from swf.messaging.turn import Turn
from swf.store import bulk
from swf.store.models import Run

_TRIGGERS: dict[type[Body], RunTrigger] = {
    StartRun: RunTrigger.START,
    PauseRun: RunTrigger.PAUSE,
    ResumeRun: RunTrigger.RESUME,
    EndRun: RunTrigger.END,
}


MAX_WORKERS = 100_000
"""More workers than this nobody has: such a number in a notice is not believed."""


class RunRegistry:
    """Handles the notices of a run. Any of them may come first, twice or late."""

    def __init__(self, book: RunBook, adoption: Adoption | None = None) -> None:
        self._book = book
        self._adoption = adoption

    def handlers(self) -> dict[type[Body], Handler]:
        """The handlers, by message type."""
        return {RunImminent: self.run_imminent, **dict.fromkeys(_TRIGGERS, self.moved)}

    def run_imminent(self, turn: Turn, messages: Sequence[Message[RunImminent]]) -> None:
        """A run is announced: its row, and its state.

        Raises:
            UnknownNameError: the run belongs to no execution that is known here.
        """
        for message in messages:
            body = message.body
            ensure_run(turn, self._book, message, self._adoption)
            Run.objects.filter(pk=body.run_id).update(simulated=body.simulated)
            RunState.objects.filter(pk=body.run_id, state_seq__lt=message.envelope.sender_seq).update(
                state=body.state,
                substate=body.substate,
                state_seq=message.envelope.sender_seq,
                state_changed_at=turn.now,
                updated_at=turn.now,
            )
            RunState.objects.filter(pk=body.run_id).update(
                target_worker_count=_believable(body.workflow_params.get("target_worker_count"))
            )

    def moved(self, turn: Turn, messages: Sequence[Message[DaqBody]]) -> None:
        """A run starts, pauses, goes on or ends.

        Raises:
            UnknownNameError: the run belongs to no execution that is known here.
        """
        for message in messages:
            body = message.body
            ensure_run(turn, self._book, message, self._adoption)
            if isinstance(body, EndRun):
                Run.objects.filter(pk=body.run_id, end_time=None).update(
                    end_time=message.envelope.created_at, total_stf_files=body.total_stf_files, ended_by=body.ended_by
                )
                if self._adoption is not None:
                    self._adoption.ended(turn, message)
            self._move(turn, message, _TRIGGERS[type(body)])

    @staticmethod
    def _move(turn: Turn, message: Message[DaqBody], trigger: RunTrigger) -> None:
        state = RunState.objects.select_for_update().get(pk=message.body.run_id)
        phase = phase_after(RunPhase(state.phase), state.state_seq, trigger, message.envelope.sender_seq)
        if phase is None:
            turn.note("late_notice", str(state.run_id), state.run_id, notice=trigger, phase=state.phase)
            return
        turn.note(trigger, f"run {state.run_id}", state.run_id, **{"from": state.phase, "to": phase})
        state.phase, state.state, state.substate = phase, message.body.state, message.body.substate
        state.state_seq = message.envelope.sender_seq
        state.state_changed_at = state.updated_at = turn.now
        state.save(update_fields=["phase", "state", "substate", "state_seq", "state_changed_at", "updated_at"])


def ensure_run(turn: Turn, book: RunBook, message: Message[EpicBody], adoption: Adoption | None = None) -> None:
    """Make the rows of a run that this message is the first to name; leave them as they are otherwise.

    Raises:
        UnknownNameError: the run belongs to no execution that is known here: nobody could say what is to be done with
            it, nor when it is done.
        DataError: an older DAQ uses the number of another execution's run.
    """
    run_number = message.body.run_id
    bulk.insert(Run, [_run_row(turn, run_number, message.body.execution_id or "")], or_ignore=True)
    bulk.insert(RunState, [_state_row(run_number, turn.now)], or_ignore=True)
    if adoption is not None:
        adoption.look(turn, message)
    book.settings(run_number)


def _believable(target: object) -> int:
    if isinstance(target, bool) or not isinstance(target, int):
        return 0
    return target if 0 <= target <= MAX_WORKERS else 0


def _run_row(turn: Turn, run_number: int, execution_id: str) -> dict[str, object]:
    return {
        "run_number": run_number,
        "namespace": turn.identity.namespace,
        "execution_id": execution_id,
        "start_time": turn.now,
    }


def _state_row(run_number: int, now: datetime) -> dict[str, object]:
    return {"run_id": run_number, "state_changed_at": now, "updated_at": now}
