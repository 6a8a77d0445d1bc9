"""The fast-monitoring agent: samples a fraction of the STFs and, within one, a fraction of its TFs.

It reads the TFs by entry range, without the rest of the file, writes them to sample files, and keeps the run's
monitoring histograms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from swf.core.effects import Boundary
from swf.core.errors import ServiceError
from swf.core.messages import Message
from swf.core.times import Clock
from swf.core.work import WorkState
from swf.epic.agents.file_work import FileTask, FileWork
from swf.epic.histogram_store import add_to_run
from swf.epic.messages import EPIC_TOPIC, StfReady, TfFileRegistered
from swf.epic.models import FastMonFile, StfFile
from swf.epic.names import tf_sample_name
from swf.epic.run_files import RunFiles
from swf.epic.run_settings import RunBook, RunSettings, execution_ids
from swf.epic.sampling import is_sampled, sample_ranges, sampled_count
from swf.epic.stf.sample import SampleFacts, write_sample
from swf.messaging.agent import Agent
from swf.messaging.turn import Turn
from swf.service.io_pool import IoPool
from swf.storage.location import join
from swf.store import bulk
from swf.store.work import WorkMoves, new_item

ROLE = "fastmon"


def fastmon_agent(
    *, files: RunFiles, samples: Path, io: IoPool, clock: Clock, book: RunBook, lease_s: float, boundary: Boundary
) -> Agent:
    """The agent. `files` says where STFs are read; `samples` is where sample files go."""

    def start(item: FastMonFile) -> tuple[Callable[..., SampleFacts], tuple[object, ...]]:
        source = join(files.source(item.stf.run_id), item.stf.name)
        return write_sample, (source, samples / str(item.run_number) / item.name, item.tf_first, item.tf_last, boundary)

    task = FileTask(owner="sample", model=FastMonFile, start=start, finish=_sampled, related=("stf",))
    sampling = FileWork(task, io=io, clock=clock, lease_s=lease_s)
    return Agent(
        role=ROLE,
        subscriptions=(EPIC_TOPIC,),
        handlers={StfReady: SampleDecision(book, sampling.look).stf_ready},
        reconcilers=(sampling,),
    )


class SampleDecision:
    """Decides, for each STF, whether and where it is sampled; calls `on_new` when some are."""

    def __init__(self, book: RunBook, on_new: Callable[[], None]) -> None:
        self._book = book
        self._on_new = on_new

    def stf_ready(self, turn: Turn, messages: Sequence[Message[StfReady]]) -> None:
        """STFs are ready: plan their sample files, or note that none is wanted.

        Raises:
            ServiceError: an STF is not registered yet; the message is tried again.
        """
        names = [message.body.filename for message in messages]
        stfs = {stf.name: stf for stf in StfFile.objects.filter(name__in=names)}
        decided, planned = [], []
        for message in messages:
            stf = stfs.get(message.body.filename)
            if stf is None:
                raise ServiceError(f"{message.body.filename} is announced as ready but is not registered (yet)")
            if stf.sample_count is not None:
                continue
            rows = self._plan(turn, stf, self._book.settings(stf.run_id))
            stf.sample_count = len(rows)
            decided.append(({"sample_count": len(rows), "slice_count": None if rows else 0}, {"id": stf.pk}))
            planned += rows
            if not stf.has_content:
                for row in rows:
                    turn.send(EPIC_TOPIC, _registered(stf, FastMonFile(**row), message.body.execution_id))
        bulk.update(StfFile, decided)
        bulk.insert(FastMonFile, planned)
        if any(row["status"] == WorkState.QUEUED for row in planned):
            turn.on_commit(self._on_new)

    @staticmethod
    def _plan(turn: Turn, stf: StfFile, settings: RunSettings) -> list[dict[str, object]]:
        if not settings.samples or not is_sampled(stf.sequence, settings.stf_sampling_rate):
            return []
        ranges = sample_ranges(
            stf.tf_count,
            settings.tf_sampling_fraction,
            settings.tf_files_per_sample,
            turn=sampled_count(stf.sequence, settings.stf_sampling_rate) - 1,
        )
        return [
            {
                **new_item(
                    turn.ids,
                    turn.now,
                    name=tf_sample_name(stf.name, number),
                    namespace=stf.namespace,
                    run_number=stf.run_id,
                    max_retries=settings.max_retries,
                    status=WorkState.QUEUED if stf.has_content else WorkState.COMPLETED,
                ),
                "stf_id": stf.pk,
                "sample_index": number,
                "sample_count": len(ranges),
                "tf_first": tf_range.first,
                "tf_last": tf_range.last,
                "tf_count": tf_range.last - tf_range.first + 1,
            }
            for number, tf_range in enumerate(ranges, start=1)
        ]


def _sampled(turn: Turn, moves: WorkMoves, done: Sequence[tuple[FastMonFile, SampleFacts]]) -> Sequence[str]:
    executions = execution_ids({item.stf.run_id for item, _ in done})
    for item, facts in done:
        moves.complete(item)
        item.size_bytes, item.adler32, item.sha256 = facts.size_bytes, facts.adler32, facts.sha256
        item.hits = facts.hits
        turn.send(EPIC_TOPIC, _registered(item.stf, item, executions.get(item.stf.run_id)))
    for run_number in {item.stf.run_id for item, _ in done}:
        add_to_run(run_number, [facts.histograms for item, facts in done if item.stf.run_id == run_number], turn.now)
    return ("size_bytes", "adler32", "sha256", "hits")


def _registered(stf: StfFile, item: FastMonFile, execution_id: str | None) -> TfFileRegistered:
    return TfFileRegistered(
        run_id=stf.run_id,
        execution_id=execution_id,
        state=stf.daq_state,
        substate=stf.daq_substate,
        tf_filename=item.name,
        stf_filename=stf.name,
        tf_first=item.tf_first,
        tf_last=item.tf_last,
        tf_count=item.tf_count,
        sample_index=item.sample_index,
        sample_count=item.sample_count,
        file_size_bytes=item.size_bytes,
    )
