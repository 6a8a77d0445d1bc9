"""The figures of runs: changed by increments only, so that no agent overwrites what another one counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from swf.core.work import WorkState
from swf.epic.models import RunState
from swf.messaging.turn import Turn
from swf.store.work import WorkMoves

_COLUMN = {
    WorkState.QUEUED: "slices_queued",
    WorkState.PROCESSING: "slices_processing",
    WorkState.COMPLETED: "slices_completed",
    WorkState.FAILED: "slices_failed",
}


class RunCounts:
    """Increments of one transaction, summed per run and written together."""

    def __init__(self) -> None:
        self._change: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, run_number: int, **increments: int) -> None:
        """Add increments, given as `column=number`."""
        for column, number in increments.items():
            self._change[run_number][column] += number

    def add_slice_moves(self, moves: WorkMoves) -> None:
        """Follow slices from state to state."""
        for (run_number, state, sign), number in moves.tally().items():
            if run_number is not None and state in _COLUMN:
                self.add(run_number, **{_COLUMN[state]: sign * number})

    def save(self, now: datetime) -> None:
        """Write the sums, one statement per run that changed, in the order of runs: nobody waits in a circle."""
        for run_number, columns in sorted(self._change.items()):
            changed: dict[str, Any] = {name: F(name) + number for name, number in columns.items() if number}
            if changed:
                RunState.objects.filter(pk=run_number).update(**changed, updated_at=now)
        self._change.clear()


def save_slice_moves(turn: Turn, moves: WorkMoves, fields: Sequence[str] = ()) -> None:
    """Write the moves of slices: the rows, the event log, and the figures of their runs."""
    moves.save(fields)
    turn.record(moves.moves)
    counts = RunCounts()
    counts.add_slice_moves(moves)
    counts.save(turn.now)
