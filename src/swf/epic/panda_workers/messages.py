"""What is said to PanDA workers and those who manage them, and what they answer: as values, in no form yet."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from swf.core.messages import Body, Instant
from swf.epic.messages import FileName, Number, ShortWord, Text, TfIndex, Word

SLICES_TOPIC = "/topic/panda.slices"
"""Slices; the broker puts each into the queues of the workers and of iDDS."""
WORKERS_TOPIC = "/topic/panda.workers"
"""To who manages workers: that a run needs some, and that it needs none any more."""
TRANSFORMER_TOPIC = "/topic/panda.transformer"
"""To the workers themselves: that their run is over."""
RESULTS_QUEUE = "/shared-queue/panda.results.fastprocessing"
"""Results of all namespaces: the broker puts into it what workers publish on `/topic/panda.results`."""

Seconds = Annotated[float, Field(ge=0)]


class RunImminentWorker(Body):
    """A run will need workers."""

    msg_type = "run_imminent_worker"
    notice: dict[str, Any]
    """The DAQ's notice, field by field."""
    target_worker_count: Number
    slice_processing_time: Seconds
    worker_rampup_time: Seconds
    worker_rampdown_time: Seconds


class StopTransformer(Body):
    """Workers of a run may go: there is nothing left for them."""

    msg_type = "stop_transformer"


class PandaResult(Body):
    """What came of a slice at a PanDA worker. Everything that names the slice may be missing."""

    msg_type = "slice_result"
    req_id: UUID | None = None
    filename: FileName | None = None
    tf_filename: FileName | None = None
    slice_id: TfIndex | None = None
    start: TfIndex | None = None
    end: TfIndex | None = None
    attempt: Number | None = None
    requested_at: Instant | None = None
    """The instant of the request, which a worker repeats even where it repeats nothing else of it."""
    done: bool
    outcome: ShortWord
    detail: Text = ""
    """Why it failed, or where the output is."""
    worker: Word
    hostname: Word = ""
    started_at: Instant | None = None
    finished_at: Instant | None = None
    seconds: Seconds = 0.0
