"""Real files: verified, attached to the run's dataset, and removed from the exit buffer where nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from epic_bench import RUN, Daq, EpicBench
from swf.catalog.local import LocalCatalog
from swf.catalog.port import DatasetName
from swf.core.errors import ServiceError
from swf.core.ledger import Stage
from swf.epic import buffer_keeper
from swf.epic.accounting import ledger_of
from swf.epic.buffer_keeper import BufferKeeper
from swf.epic.closing import RunCloser
from swf.epic.daq.exit_buffer import ExitBufferPolicy
from swf.epic.datasets import DatasetKeeper
from swf.epic.messages import StfGen
from swf.epic.models import StfFile
from swf.epic.names import stf_name
from swf.messaging.agent import Agent
from swf.storage.checksums import facts_of
from swf.store import alarms
from swf.store.models import Alarm, Dataset, DatasetFile, Event, Run

DAY = timedelta(days=1)


@pytest.fixture
def bench(store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    """The data and the fast-monitoring agent; no STF is sampled."""
    with EpicBench(tmp_path, "embedded", roles=("data", "fastmon"), fast_processing__stf_sampling_rate=0.0) as bench:
        yield bench


def written(bench: EpicBench, daq: Daq, sequence: int, **changes: Any) -> StfGen:
    """An STF in the exit buffer, and its announcement."""
    path = bench.workspace.exit_buffer / stf_name(RUN, sequence)
    path.write_text(f"STF number {sequence}")
    facts = facts_of(path)
    told: dict[str, Any] = {
        "has_content": True,
        "size_bytes": facts.size_bytes,
        "checksum": facts.adler32,
        "sha256": facts.sha256,
    }
    return daq.stf(sequence, **told | changes)


def take(bench: EpicBench, stfs: int) -> Daq:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), *(written(bench, daq, n) for n in range(1, stfs + 1)), daq.end(stfs))
    bench.run()
    return daq


def test_files_are_verified_and_attached_and_the_dataset_is_closed_with_the_run(bench: EpicBench) -> None:
    take(bench, 40)
    assert set(StfFile.objects.values_list("status", "attempt")) == {("completed", 1)}
    dataset = Dataset.objects.get()
    assert (dataset.scope, dataset.name, dataset.state, dataset.files.count()) == (
        "group.daq",
        f"swf.{RUN}.run",
        "closed",
        40,
    )
    stf, attached = StfFile.objects.get(sequence=7), DatasetFile.objects.get(name=stf_name(RUN, 7))
    assert (attached.size_bytes, attached.adler32) == (stf.size_bytes, stf.adler32)
    assert Run.objects.get().closed_at is not None
    assert ledger_of(RUN).complete
    closed = Event.objects.get(type="run_closed")
    assert closed.run_number == RUN


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_text("something else, longer"), "announced with bytes 12, but has 22"),
        (lambda path: path.write_text("STF number X"), "announced with adler32"),
        (lambda path: path.write_text(""), "announced with bytes 12, but has 0"),
        (lambda path: path.unlink(), "there is no such file"),
    ],
    ids=["larger", "changed", "empty", "gone"],
)
def test_a_file_that_is_not_what_was_announced_fails_alone(bench: EpicBench, spoil: Any, words: str) -> None:
    daq = bench.daq()
    notices = [written(bench, daq, n) for n in (1, 2, 3)]
    spoil(bench.workspace.exit_buffer / stf_name(RUN, 2))
    bench.send(daq.imminent(), daq.start(), *notices, daq.end(3))
    bench.run()
    bad = StfFile.objects.get(sequence=2)
    assert (bad.status, bad.attempt, bad.retries) == ("failed", 1, 0), "trying again cannot help"
    assert words in bad.reason
    ledger = ledger_of(RUN)
    assert ledger.stages[Stage.REGISTERED] == {"completed": 2, "failed": 1}
    assert ledger.stages[Stage.PROCESSED] == {"not_required": 2, "cancelled": 1}
    (unit,) = ledger.undone
    assert (unit.name, unit.stage, unit.word, unit.reason) == (bad.name, Stage.REGISTERED, "failed", bad.reason)
    assert Run.objects.get().closed_at is not None
    assert Dataset.objects.get().files.count() == 2, "a file that is not right is not attached"


class Catalogue(LocalCatalog):
    """A catalogue that does not answer, before or after it has done what it was asked."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.silent: dict[str, int] = {}
        self.does_it_first = False

    def attach(self, dataset: DatasetName, files: Any) -> None:
        self._answer("attach", lambda: super(Catalogue, self).attach(dataset, files))

    def close(self, dataset: DatasetName) -> None:
        self._answer("close", lambda: super(Catalogue, self).close(dataset))

    def _answer(self, verb: str, act: Any) -> None:
        left = self.silent.get(verb, 0)
        if left == 0 or self.does_it_first:
            act()
        if left:
            self.silent[verb] = left - 1
            raise ServiceError("the catalogue does not answer")


@pytest.mark.parametrize("does_it_first", [False, True])
@pytest.mark.parametrize("verb", ["attach", "close"])
def test_a_catalogue_that_does_not_answer_is_asked_again_and_nothing_is_done_twice(
    bench: EpicBench, verb: str, does_it_first: bool
) -> None:
    catalogue = Catalogue(bench.clock)
    catalogue.silent, catalogue.does_it_first = {verb: 2}, does_it_first
    keeper = DatasetKeeper(catalogue, bench.namespace, bench.clock, bench.agents.book)
    closer = RunCloser(bench.namespace, bench.clock, keeper)
    data = bench.agents.agent("data")
    verification = data.reconcilers[0]
    bench.runtimes["data"] = bench.agents.runtime(
        Agent(
            role="data",
            subscriptions=data.subscriptions,
            handlers=data.handlers,
            reconcilers=(verification, keeper, closer),
        )
    )
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), *(written(bench, daq, n) for n in (1, 2, 3)), daq.end(3))
    silences = 0
    for _ in range(50):
        try:
            bench.step()
        except ServiceError:
            silences += 1
        bench.clock.advance(0.5)
    assert silences == 2
    assert Dataset.objects.get().state == "closed"
    assert sorted(DatasetFile.objects.values_list("name", flat=True)) == [stf_name(RUN, n) for n in (1, 2, 3)]
    assert not StfFile.objects.filter(attached_at=None).exists()
    assert Event.objects.filter(type="run_closed").count() == 1


def test_a_verification_that_is_redriven_after_the_close_does_not_end_the_agent(bench: EpicBench) -> None:
    daq = bench.daq()
    notices = [written(bench, daq, n) for n in (1, 2)]
    good = (bench.workspace.exit_buffer / stf_name(RUN, 2)).read_text()
    (bench.workspace.exit_buffer / stf_name(RUN, 2)).write_text("bad")
    bench.send(daq.imminent(), daq.start(), *notices, daq.end(2))
    bench.run()
    assert Run.objects.get().closed_at is not None
    # An operator brings the file and lets it be verified once more; the dataset is closed all the same.
    (bench.workspace.exit_buffer / stf_name(RUN, 2)).write_text(good)
    StfFile.objects.filter(sequence=2).update(status="queued")
    bench.run()
    assert StfFile.objects.get(sequence=2).status == "completed"
    assert Dataset.objects.get().files.count() == 1


def keeper(bench: EpicBench, *, capacity_bytes: int = 10**9, retention: timedelta = 3 * DAY) -> BufferKeeper:
    policy = ExitBufferPolicy(capacity_bytes=capacity_bytes, retention=retention)
    return BufferKeeper(bench.workspace.exit_buffer, policy, bench.namespace, bench.clock)


def in_buffer(bench: EpicBench) -> int:
    return sum(1 for path in bench.workspace.exit_buffer.iterdir() if path.suffix == ".stf")


def test_files_leave_the_exit_buffer_after_their_time_when_their_run_is_closed(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), *(written(bench, daq, n) for n in (1, 2)))
    bench.run()
    bench.clock.advance(4 * DAY.total_seconds())
    assert keeper(bench).prune() == (), "its run is not closed"
    bench.send(daq.end(2))
    bench.run()
    assert keeper(bench, retention=5 * DAY).prune() == (), "its time has not come"
    would = keeper(bench).prune(dry_run=True)
    assert [departure.name for departure in would] == [stf_name(RUN, n) for n in (1, 2)]
    assert in_buffer(bench) == 2
    assert keeper(bench).prune() == would
    assert in_buffer(bench) == 0
    assert not StfFile.objects.filter(removed_at=None).exists()
    assert keeper(bench).prune() == ()
    assert ledger_of(RUN).complete, "what left the buffer is still accounted for"


def test_room_is_made_only_where_nothing_is_lost(bench: EpicBench) -> None:
    take(bench, 3)
    used = keeper(bench).used_bytes()
    assert used == 3 * 12
    assert keeper(bench, capacity_bytes=used + 10).refusal(10) == ""
    assert in_buffer(bench) == 3
    # The closed run's files may go; only as many as it takes.
    assert keeper(bench, capacity_bytes=used).refusal(10) == ""
    assert in_buffer(bench) == 2
    assert "the next STF has" in keeper(bench, capacity_bytes=used).refusal(1000)
    assert in_buffer(bench) == 2
    StfFile.objects.update(removed_at=None)
    Run.objects.update(closed_at=None)
    why = keeper(bench, capacity_bytes=used).refusal(10)
    assert "the exit buffer is full" in why
    assert "3 of a run that is not closed" in why


def test_a_removal_that_a_crash_interrupted_is_made_up_for(bench: EpicBench) -> None:
    take(bench, 2)
    bench.clock.advance(4 * DAY.total_seconds())
    (bench.workspace.exit_buffer / stf_name(RUN, 1)).unlink()
    assert len(keeper(bench).prune()) == 2
    assert not StfFile.objects.filter(removed_at=None).exists()


def test_the_alarm_of_a_full_buffer_is_raised_and_cleared(bench: EpicBench) -> None:
    full = keeper(bench)
    full.raise_alarm(RUN, "no space left on device", bench.clock.now())
    alarm = Alarm.objects.get()
    assert (alarm.severity, alarm.run_number) == ("error", RUN)
    assert "run 100010 is paused until an STF fits: no space left on device" in alarm.text
    full.clear_alarm(bench.clock.now())
    assert not alarms.clear(bench.namespace, alarm.key, bench.clock.now())


def test_the_local_catalogue_has_what_the_rows_say(bench: EpicBench) -> None:
    take(bench, 3)
    view = LocalCatalog(bench.clock).look(DatasetName(scope="group.daq", name=f"swf.{RUN}.run"))
    assert view is not None
    assert (view.is_open, view.files) == (False, 3)


def test_what_is_new_and_what_has_left_is_counted(bench: EpicBench) -> None:
    take(bench, 1)
    first = StfFile.objects.get()
    room = keeper(bench, capacity_bytes=60)
    assert room.refusal(48) == ""
    for sequence in range(2, 6):
        fields = {
            name: getattr(first, name) for name in ("namespace", "run_id", "run_number", "created_at", "updated_at")
        }
        StfFile.objects.create(
            **fields,
            name=stf_name(RUN, sequence),
            sequence=sequence,
            req_id=UUID(int=sequence),
            tf_count=1,
            tf_first=0,
            size_bytes=12,
        )
        assert room.refusal(60 - 12 * sequence) == "", "exactly what is left"
        assert in_buffer(bench) == 1
    Run.objects.update(closed_at=None)
    assert "the exit buffer is full: 60 B of 60 B" in room.refusal(1)
    # Another process makes room: that is seen before the DAQ has to pause, and after a while in any case.
    StfFile.objects.filter(sequence=5).update(removed_at=bench.clock.now())
    assert room.refusal(12) == ""
    StfFile.objects.filter(sequence=4).update(removed_at=bench.clock.now())
    bench.clock.advance(60)
    with CaptureQueriesContext(connection) as queries:
        assert room.refusal(24) == ""
    assert len(queries) == 1


def test_room_is_made_of_more_files_than_are_looked_at_first(bench: EpicBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer_keeper, "_OLDEST", 2)
    take(bench, 4)
    room = keeper(bench, capacity_bytes=48)
    with CaptureQueriesContext(connection) as queries:
        assert room.refusal(24) == ""
    assert in_buffer(bench) == 2
    assert sum("ORDER BY" in query["sql"] for query in queries) == 1
    assert list(StfFile.objects.filter(removed_at=None).values_list("sequence", flat=True).order_by("sequence")) == [
        3,
        4,
    ]
    StfFile.objects.update(removed_at=None)
    assert keeper(bench, capacity_bytes=48).refusal(48) == "", "it takes more than were looked at first"
    assert not StfFile.objects.filter(removed_at=None).exists()
