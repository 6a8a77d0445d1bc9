"""The phases of a run as the agents see them, moved by the DAQ's messages."""

from __future__ import annotations

from enum import StrEnum

from swf.core.transitions import Move, TransitionTable


class RunPhase(StrEnum):
    """Where a run is."""

    IMMINENT = "imminent"
    """Announced; agents prepare."""
    PHYSICS = "physics"
    """Taking data."""
    STANDBY = "standby"
    """Paused; no new STFs."""
    COMPLETED = "completed"
    """Its end was announced. It is closed later, when its ledger balances."""


class RunTrigger(StrEnum):
    """The DAQ's messages that move a run."""

    START = "start_run"
    PAUSE = "pause_run"
    RESUME = "resume_run"
    END = "end_run"


RUN_TABLE = TransitionTable(
    "run",
    RunPhase.IMMINENT,
    (
        Move(source=RunPhase.IMMINENT, trigger=RunTrigger.START, target=RunPhase.PHYSICS, why="declared good"),
        Move(source=RunPhase.PHYSICS, trigger=RunTrigger.PAUSE, target=RunPhase.STANDBY, why="paused"),
        Move(source=RunPhase.STANDBY, trigger=RunTrigger.RESUME, target=RunPhase.PHYSICS, why="good again"),
        Move(source=RunPhase.PHYSICS, trigger=RunTrigger.END, target=RunPhase.COMPLETED, why="end of the run"),
        Move(source=RunPhase.STANDBY, trigger=RunTrigger.END, target=RunPhase.COMPLETED, why="ended while paused"),
        Move(source=RunPhase.IMMINENT, trigger=RunTrigger.END, target=RunPhase.COMPLETED, why="never started"),
    ),
)

_REACHED_BY = {
    RunTrigger.START: RunPhase.PHYSICS,
    RunTrigger.PAUSE: RunPhase.STANDBY,
    RunTrigger.RESUME: RunPhase.PHYSICS,
    RunTrigger.END: RunPhase.COMPLETED,
}


def phase_after(phase: RunPhase, last_seq: int, trigger: RunTrigger, seq: int) -> RunPhase | None:
    """The phase after a message that may be late or out of order; None where it changes nothing.

    The DAQ numbers its messages, so the newest one tells the present phase even where an earlier one is still under
    way: a message older than the last one applied is late, and nothing moves a completed run.
    """
    if phase is RunPhase.COMPLETED or seq <= last_seq:
        return None
    return _REACHED_BY[trigger]
