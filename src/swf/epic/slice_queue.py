"""Queueing slices for workers."""

from __future__ import annotations

from collections.abc import Callable

from swf.epic.messages import SLICE_QUEUE, Slice
from swf.epic.models import StfFile, TfSlice
from swf.messaging.turn import Turn

SendSlice = Callable[[Turn, TfSlice, StfFile, str | None], None]
"""Sends the request that stands for a queued slice to who processes slices, in a turn that then saves the slice."""


def send_slice(turn: Turn, item: TfSlice, stf: StfFile, execution_id: str | None) -> None:
    """Send the request to the worker agents of this testbed, which claim slices."""
    turn.send(SLICE_QUEUE, slice_request(item, stf, execution_id))


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
