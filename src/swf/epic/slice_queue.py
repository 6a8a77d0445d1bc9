"""Queueing slices for workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from swf.core.times import Clock
from swf.epic.messages import LIVE_RESULT_QUEUE, LIVE_SLICE_QUEUE, RESULT_QUEUE, SLICE_QUEUE, Slice
from swf.epic.models import StfFile, TfSlice
from swf.messaging.turn import Turn
from swf.store.models import Run

_KNOWN_S: Final = 1.0

SendSlice = Callable[[Turn, TfSlice, StfFile, str | None], None]
"""Sends the request that stands for a queued slice to who processes slices, in a turn that then saves the slice."""


class WorkerQueues:
    """Sends slices to the worker agents of this testbed, which claim them.

    A run that is being taken does not wait behind what earlier runs have left: as long as one of those is not closed,
    its slices go to a queue that workers look into first, and their results to one that is looked into first as well.
    """

    def __init__(self, namespace: str, clock: Clock) -> None:
        self._namespace = namespace
        self._clock = clock
        self._known: dict[int, tuple[bool, float]] = {}
        """Per run: whether it goes first, and until when that is not asked again."""

    def __call__(self, turn: Turn, item: TfSlice, stf: StfFile, execution_id: str | None) -> None:
        queue = LIVE_SLICE_QUEUE if self._goes_first(stf.run_id) else SLICE_QUEUE
        turn.send(queue, slice_request(item, stf, execution_id))

    def results(self, run_number: int) -> str:
        """Where results of a run go."""
        return LIVE_RESULT_QUEUE if self._goes_first(run_number) else RESULT_QUEUE

    def _goes_first(self, run_number: int) -> bool:
        now = self._clock.monotonic()
        first, until = self._known.get(run_number, (False, 0.0))
        if now >= until:
            first = self._is_before_a_backlog(run_number)
            self._known = {run: known for run, known in self._known.items() if known[1] > now}
            self._known[run_number] = first, now + _KNOWN_S
        return first

    def _is_before_a_backlog(self, run_number: int) -> bool:
        open_runs = Run.objects.filter(namespace=self._namespace, closed_at=None, run_number__lte=run_number)
        ended = dict(open_runs.values_list("run_number", "end_time"))
        is_taken = ended.pop(run_number, None) is None
        return is_taken and any(end is not None for end in ended.values())


def slice_request(item: TfSlice, stf: StfFile, execution_id: str | None) -> Slice:
    """The request that stands for a queued slice; `attempt` is the one that its claim will begin."""
    return Slice(
        run_id=stf.run_id,
        execution_id=execution_id,
        state=stf.daq_state,
        substate=stf.daq_substate,
        slice_id=item.slice_id,
        tf_filename=item.name,
        filename=stf.name,
        start=item.tf_first,
        end=item.tf_last,
        tf_count=item.tf_count,
        req_id=item.req_id,
        attempt=item.attempt + 1,
    )
