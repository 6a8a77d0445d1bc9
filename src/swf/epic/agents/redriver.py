"""Retries that operators wish for: slices that failed for good are queued once more."""

from __future__ import annotations

from typing import Final

from swf.core.times import Clock, Interval
from swf.core.work import WORK_TABLE, WorkState, WorkTrigger
from swf.epic.models import SliceRetry
from swf.epic.run_counts import save_slice_moves
from swf.epic.slice_queue import SendSlice
from swf.messaging.turn import Turn, TurnFactory
from swf.store.models import Run

_INTERVAL_S: Final = 1.0
_AT_ONCE: Final = 500


class Redriver:
    """A reconciler: slices whose retry is wished for are queued again, in the turn that takes the wish away.

    A wish is void where its slice has moved on, or where its run is closed.
    """

    def __init__(self, namespace: str, clock: Clock, send: SendSlice) -> None:
        self._namespace = namespace
        self._send = send
        self._interval = Interval(clock, _INTERVAL_S)

    def step(self, begin: TurnFactory) -> bool:
        if not self._interval.is_over():
            return False
        wished = SliceRetry.objects.filter(slice__namespace=self._namespace).order_by("id")
        found = dict(wished.values_list("id", "slice__run_number")[:_AT_ONCE])
        if found:
            with begin() as turn:
                self._carry_out(turn, found)
        return bool(found)

    def _carry_out(self, turn: Turn, found: dict[int, int | None]) -> None:
        # Runs are locked before anything of them, as by who wishes and who closes: nobody waits in a circle.
        runs = Run.objects.select_for_update().filter(pk__in=set(found.values())).order_by("run_number")
        open_runs = {run.run_number: run.execution_id for run in runs if run.closed_at is None}
        wishes = SliceRetry.objects.select_for_update(of=("self",)).select_related("slice__stf").filter(pk__in=found)
        moves = turn.moves()
        for wish in wishes.order_by("id"):
            item = wish.slice
            movable = WORK_TABLE.allows(WorkState(item.status), WorkTrigger.REDRIVE) and item.attempt == wish.attempt
            if item.stf.run_id in open_runs and movable:
                moves.redrive(item, f"{wish.wished_by}: {wish.reason}" if wish.reason else wish.wished_by)
                self._send(turn, item, item.stf, open_runs[item.stf.run_id])
            else:
                turn.note("retry_void", item.name, item.run_number, wished_by=wish.wished_by, status=item.status)
        save_slice_moves(turn, moves)
        SliceRetry.objects.filter(pk__in=found).delete()
