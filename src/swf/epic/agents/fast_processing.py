"""The fast-processing agent: cuts sampled STFs into slices, queues them for workers, takes results, retries
failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from swf.core.errors import ServiceError
from swf.core.messages import Message
from swf.core.times import Clock
from swf.core.work import WorkState
from swf.epic.agents.leases import LeaseKeeper
from swf.epic.agents.redriver import Redriver
from swf.epic.agents.slice_results import SliceResults
from swf.epic.messages import EPIC_TOPIC, LIVE_RESULT_QUEUE, RESULT_QUEUE, SliceResult, TfFileRegistered
from swf.epic.models import FastMonFile, StfFile, TfSlice
from swf.epic.names import slice_name
from swf.epic.run_counts import RunCounts
from swf.epic.run_settings import RunBook
from swf.epic.sampling import TfRange
from swf.epic.slice_queue import SendSlice
from swf.epic.slicing import cut
from swf.messaging.agent import Agent
from swf.messaging.turn import Turn
from swf.store import bulk
from swf.store.work import new_item

ROLE = "fast_processing"


def fast_processing_agent(*, book: RunBook, clock: Clock, namespace: str, send: SendSlice) -> Agent:
    """The agent, for worker agents of this testbed."""
    return Agent(
        role=ROLE,
        subscriptions=(EPIC_TOPIC, LIVE_RESULT_QUEUE, RESULT_QUEUE),
        handlers={
            TfFileRegistered: Slicer(book, send).tf_file_registered,
            SliceResult: SliceResults(send).slice_result,
        },
        reconcilers=(LeaseKeeper(namespace, clock, send), Redriver(namespace, clock, send)),
    )


class Slicer:
    """Cuts an STF's sample into slices once all its files are there; `send` gives them to workers."""

    def __init__(self, book: RunBook, send: SendSlice) -> None:
        self._book = book
        self._send = send

    def tf_file_registered(self, turn: Turn, messages: Sequence[Message[TfFileRegistered]]) -> None:
        """Sample files are there: cut the samples that they complete.

        Raises:
            ServiceError: an STF or a sample file is not registered yet; the message is tried again.
        """
        names = {message.body.stf_filename for message in messages}
        stfs = {stf.name: stf for stf in StfFile.objects.filter(name__in=names)}
        files: dict[int, list[FastMonFile]] = defaultdict(list)
        known = set()
        for item in FastMonFile.objects.filter(stf__in=stfs.values(), status=WorkState.COMPLETED).order_by("id"):
            files[item.stf_id].append(item)
            known.add(item.name)
        for message in messages:
            if message.body.stf_filename not in stfs or message.body.tf_filename not in known:
                raise ServiceError(f"{message.body.tf_filename} is announced but is not registered (yet)")
        complete = [stf for stf in stfs.values() if stf.slice_count is None and len(files[stf.pk]) == stf.sample_count]
        self._cut(turn, complete, files, {m.body.run_id: m.body.execution_id for m in messages})

    def _cut(
        self,
        turn: Turn,
        stfs: list[StfFile],
        files: dict[int, list[FastMonFile]],
        executions: dict[int, str | None],
    ) -> None:
        rows, decided, counts = [], [], RunCounts()
        for stf in stfs:
            settings = self._book.settings(stf.run_id)
            sample = sorted(files[stf.pk], key=lambda item: item.sample_index)
            pieces = cut(tuple(TfRange(first=i.tf_first, last=i.tf_last) for i in sample), settings.slices_per_sample)
            for piece in pieces:
                row = {
                    **new_item(
                        turn.ids,
                        turn.now,
                        name=slice_name(stf.name, piece.index),
                        namespace=stf.namespace,
                        run_number=stf.run_id,
                        max_retries=settings.max_retries,
                    ),
                    "stf_id": stf.pk,
                    "fastmon_file_id": sample[piece.file_index].pk,
                    "slice_id": piece.index,
                    "tf_first": piece.first,
                    "tf_last": piece.last,
                    "tf_count": piece.last - piece.first + 1,
                }
                item = TfSlice(**row)
                self._send(turn, item, stf, executions.get(stf.run_id))
                rows.append({**row, "lease_holder": item.lease_holder, "lease_until": item.lease_until})
            decided.append(({"slice_count": len(pieces)}, {"id": stf.pk}))
            # Files count with the sample that they complete: however often one is announced, that is once.
            counts.add(stf.run_id, tf_files_received=len(sample), stf_samples_received=1)
            counts.add(stf.run_id, slices_created=len(pieces), slices_queued=len(pieces))
        bulk.insert(TfSlice, rows)
        bulk.update(StfFile, decided)
        counts.save(turn.now)
