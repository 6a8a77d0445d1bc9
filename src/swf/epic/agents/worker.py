"""The worker agent: takes slices from the queue, runs the payload on each TF range, reports what came of it.

A slice is claimed when it is taken, and acknowledged when its result is on the way: one that was taken by a process
that died is found by its claim, one that was never claimed comes again.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import socket
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from swf.core.effects import Boundary, no_boundary
from swf.core.errors import SwfError
from swf.core.messages import Message
from swf.core.payload import Outcome, PayloadJob, PayloadResult, PayloadSpec
from swf.core.times import Clock, Interval
from swf.core.work import WorkState
from swf.epic.agents.leases import hand_back
from swf.epic.agents.pace import Pace
from swf.epic.agents.slice_report import slice_result
from swf.epic.messages import LIVE_SLICE_QUEUE, SLICE_QUEUE, Slice
from swf.epic.models import TfSlice
from swf.epic.run_counts import save_slice_moves
from swf.epic.run_files import RunFiles
from swf.epic.slice_queue import WorkerQueues
from swf.messaging.agent import Agent
from swf.messaging.turn import Turn, TurnFactory
from swf.service.io_pool import IoPool
from swf.storage.checksums import FileFacts, facts_of
from swf.storage.location import join
from swf.store.work import by_request, held_by
from swf.workload.endings import summary_path
from swf.workload.shelf import Shelf

ROLE = "worker"

LEAST_FREE_BYTES: Final = 16 * 1024 * 1024
"""With less room than this on the disk of the products a worker takes no slices: they would fail there, and through no
fault of theirs."""

_LOOK_AT_DISK_S: Final = 1.0


def worker_agent(bench: Workbench) -> Agent:
    """The agent that works at this bench."""
    return Agent(
        role=ROLE,
        subscriptions=(LIVE_SLICE_QUEUE, SLICE_QUEUE),
        handlers={Slice: bench.slice},
        reconcilers=(bench,),
        capacity=bench.capacity,
    )


@dataclass(slots=True, kw_only=True)
class _Taken:
    """A slice that was claimed here."""

    message_id: UUID
    body: Slice


class Workbench:
    """Claims slices, keeps payloads running, sends results. One database thread; payloads run in the pool.

    Args:
        shelf: runs payloads.
        payload_of: what is run on the data of a run.
        queues: where results go, and slices that are handed back.
        lease_of: how long an attempt of a run is held without a sign of life, in seconds.
        slots: how many payloads run here at one time.
        files: where STFs are read.
        products: where outputs go.
    """

    def __init__(
        self,
        *,
        shelf: Shelf,
        payload_of: Callable[[int], PayloadSpec],
        queues: WorkerQueues,
        lease_of: Callable[[int], float],
        slots: int,
        files: RunFiles,
        products: Path,
        io: IoPool,
        clock: Clock,
        boundary: Boundary = no_boundary,
    ) -> None:
        self._shelf = shelf
        self._payload_of = payload_of
        self._queues = queues
        self._lease_of = lease_of
        self._files = files
        self._products = products
        self._io = io
        self._clock = clock
        self._boundary = boundary
        self._pace = Pace(slots)
        self._hostname = socket.gethostname()[:100]
        self._taken: dict[UUID, _Taken] = {}
        self._ready: list[tuple[PayloadResult, Future[FileFacts] | None]] = []
        """What can be reported, until it is committed that it was."""
        self._recovered = False
        self._renew_at = math.inf
        self._look_at_disk = Interval(clock, _LOOK_AT_DISK_S)
        self._has_room = True

    def capacity(self) -> int:
        """How many more slices to take: one per idle payload process, and a short time's worth ahead of that; none
        while the disk is full."""
        if self._look_at_disk.is_over():
            self._has_room = _room_at(self._products) >= LEAST_FREE_BYTES
        return self._pace.wanted() - len(self._taken) if self._has_room else 0

    def slice(self, turn: Turn, messages: Sequence[Message[Slice]]) -> None:
        """Claim slices. A request that no longer stands, or that another worker has claimed, is passed over."""
        items = by_request(TfSlice, [message.body.req_id for message in messages])
        moves = turn.moves()
        for message in messages:
            item = items.get(message.body.req_id)
            if item is None or item.status != WorkState.QUEUED or item.attempt + 1 != message.body.attempt:
                continue
            moves.claim(item, turn.identity.name, self._lease_of(message.body.run_id))
            turn.defer(message.envelope.message_id)
            taken = _Taken(message_id=message.envelope.message_id, body=message.body)
            turn.on_commit(partial(self._start, item.req_id, taken))
        save_slice_moves(turn, moves)

    def step(self, begin: TurnFactory) -> bool:
        """Report finished payloads, renew leases. Claimed slices go to the pool when their claim commits."""
        worked = self._recover(begin)
        worked |= self._collect()
        worked |= self._report(begin)
        self._renew(begin)
        return worked

    def end_payloads(self, begin: TurnFactory, grace_s: float) -> None:
        """Stop the payloads, and report those that had finished."""
        self._shelf.close(grace_s)
        self._collect()
        self._io.wait(ROLE)
        self._collect()
        self._report(begin)

    def hand_back(self, begin: TurnFactory) -> int:
        """Put back what is still held here. Returns how many slices went back."""
        number = self._put_back(begin, "handed back by a worker that stops")
        self._taken.clear()
        return number

    def _recover(self, begin: TurnFactory) -> bool:
        """At the first step no payload runs here: what rows say this agent holds was left by a dead process."""
        if self._recovered:
            return False
        number = self._put_back(begin, "its worker stopped before it was done")
        self._recovered = True
        return number > 0

    def _put_back(self, begin: TurnFactory, reason: str) -> int:
        """Put back what rows say this agent holds; an output that such an attempt had written counts for nothing."""
        with begin() as turn:
            items = held_by(TfSlice, turn.identity.namespace, turn.identity.name)
            outputs = [self._output(item.stf.run_id, item.name, item.attempt) for item in items]
            hand_back(turn, items, reason, self._queues)
            # Once it is committed that the attempts are void, and not before: until then one might still count.
            turn.on_commit(lambda: _remove(outputs))
        return len(items)

    def _start(self, request: UUID, taken: _Taken) -> None:
        run_number = taken.body.run_id
        self._taken[request] = taken
        self._renew_at = min(self._renew_at, self._clock.monotonic() + self._lease_of(run_number) / 3)
        try:
            self._shelf.submit(self._payload_of(run_number), self._job(taken.body))
        except SwfError as error:  # its payload cannot be run here: that is told like any other failure
            self._ready.append((PayloadResult(key=str(request), outcome=Outcome.NOT_STARTED, detail=str(error)), None))
        self._boundary("payload_submitted")

    def _job(self, body: Slice) -> PayloadJob:
        output = self._output(body.run_id, body.tf_filename, body.attempt)
        return PayloadJob(
            key=str(body.req_id),
            input=join(self._files.source(body.run_id), body.filename),
            first=body.start,
            last=body.end,
            output=output,
            run=body.run_id,
            slice=body.tf_filename,
        )

    def _output(self, run_number: int, slice_name: str, attempt: int) -> Path:
        """Where an attempt writes: its number is in the name, so that none can overwrite the product of another."""
        name = f"{slice_name.removesuffix('.tf')}_a{attempt}{self._payload_of(run_number).output_suffix}"
        return self._products / str(run_number) / name

    def _collect(self) -> bool:
        """Take what the pool has finished; outputs are read for their checksums on a thread."""
        results = self._shelf.take()
        if results:
            self._boundary("results_taken")
        for result in results:
            if result.outcome is Outcome.OK and result.output is not None:
                self._io.submit(ROLE, result, facts_of, result.output)
            else:
                self._ready.append((result, None))
        read = self._io.take(ROLE)
        self._ready += read
        return bool(results or read)

    def _report(self, begin: TurnFactory) -> bool:
        if not self._ready:
            return False
        with begin() as turn:
            for result, future in self._ready:
                taken = self._taken.get(UUID(result.key))
                # What was handed back meanwhile is somebody else's.
                if taken is not None:
                    turn.send(
                        self._queues.results(taken.body.run_id),
                        slice_result(turn, taken.body, result, future, self._hostname),
                    )
                    turn.settle(taken.message_id)
        for result, _ in self._ready:
            self._taken.pop(UUID(result.key), None)
        self._pace.done([result.seconds for result, _ in self._ready if result.outcome is Outcome.OK])
        self._ready.clear()
        return True

    def _renew(self, begin: TurnFactory) -> None:
        """Extend the leases of what is being worked at, well before they run out."""
        if self._clock.monotonic() < self._renew_at:
            return
        held: defaultdict[float, list[UUID]] = defaultdict(list)
        for request, taken in self._taken.items():
            held[self._lease_of(taken.body.run_id)].append(request)
        self._renew_at = self._clock.monotonic() + min(held, default=math.inf) / 3
        with begin() as turn:
            for lease_s, requests in held.items():
                TfSlice.objects.filter(
                    req_id__in=requests, status=WorkState.PROCESSING, lease_holder=turn.identity.name
                ).update(lease_until=turn.now + timedelta(seconds=lease_s))


def _room_at(folder: Path) -> float:
    """How many bytes can be written there; as many as anybody likes where it cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return math.inf


def _remove(outputs: Sequence[Path]) -> None:
    """Remove outputs and their summaries. Where that fails they are in nobody's way: no row names them."""
    for output in outputs:
        with contextlib.suppress(OSError):
            output.unlink(missing_ok=True)
            summary_path(output).unlink(missing_ok=True)
