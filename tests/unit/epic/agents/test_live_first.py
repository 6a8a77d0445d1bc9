"""A run that is being taken does not wait behind the backlog of earlier runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models import F

from epic_bench import EpicBench
from swf.epic.messages import LIVE_RESULT_QUEUE, LIVE_SLICE_QUEUE, RESULT_QUEUE, SLICE_QUEUE
from swf.epic.models import TfSlice
from swf.messaging.runtime import Runtime
from swf.store.models import OutboxMessage, Run

SLICES = 3


@pytest.fixture
def bench(sqlite_store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    with EpicBench(tmp_path, "embedded", fast_processing__slices_per_sample=SLICES) as bench:
        yield bench


def taken(bench: EpicBench, number: int, *, ended: bool) -> int:
    """A further run with one STF, sliced; returns its number. No worker is there."""
    daq = bench.daq(number)
    bench.send(daq.imminent(), daq.start(), daq.stf(1), *([daq.end(1)] if ended else []))
    bench.run()
    return number


def waiting(queue: str) -> list[int | None]:
    return sorted(set(OutboxMessage.objects.filter(destination=queue).values_list("run_number", flat=True)))


def without_worker(bench: EpicBench) -> Runtime:
    return bench.runtimes.pop("worker")


def test_without_a_backlog_there_is_one_queue(bench: EpicBench) -> None:
    without_worker(bench)
    taken(bench, 100_001, ended=False)
    assert (waiting(SLICE_QUEUE), waiting(LIVE_SLICE_QUEUE)) == ([100_001], [])


def test_slices_of_a_live_run_pass_the_backlog_of_an_ended_one(bench: EpicBench) -> None:
    worker = without_worker(bench)
    taken(bench, 100_001, ended=True)
    taken(bench, 100_002, ended=False)
    assert (waiting(SLICE_QUEUE), waiting(LIVE_SLICE_QUEUE)) == ([100_001], [100_002])
    worker.step()
    claimed = TfSlice.objects.exclude(attempt=0).order_by("run_number").values_list("run_number", flat=True)
    assert list(claimed) == [100_001, 100_002, 100_002, 100_002], "four are taken at once, the backlog's after the live"
    bench.runtimes["worker"] = worker
    bench.run()
    assert TfSlice.objects.filter(status="completed").count() == 2 * SLICES


def test_a_live_run_does_not_pass_another_one_that_is_taken(bench: EpicBench) -> None:
    without_worker(bench)
    taken(bench, 100_001, ended=False)
    taken(bench, 100_002, ended=False)
    assert waiting(LIVE_SLICE_QUEUE) == []


def test_a_later_run_that_has_ended_is_no_backlog_of_an_earlier_one(bench: EpicBench) -> None:
    without_worker(bench)
    taken(bench, 100_002, ended=True)
    taken(bench, 100_001, ended=False)
    assert waiting(LIVE_SLICE_QUEUE) == []


def test_a_run_that_ends_meanwhile_is_backlog_itself(bench: EpicBench) -> None:
    worker = without_worker(bench)
    taken(bench, 100_001, ended=True)
    run = taken(bench, 100_002, ended=False)
    worker.step()
    Run.objects.filter(pk=run).update(end_time=F("start_time"))
    bench.clock.advance(2)
    returned = bench.worker.hand_back(worker.turn)
    assert returned == TfSlice.objects.filter(retries=0, status="queued", attempt=1).count()
    assert set(waiting(SLICE_QUEUE)) == {100_001, 100_002}


def test_results_of_a_live_run_pass_those_of_the_backlog(bench: EpicBench) -> None:
    worker, taker = without_worker(bench), bench.runtimes.pop("fast_processing")
    taken_run = bench.runtimes
    bench.runtimes = {**taken_run, "fast_processing": taker}
    taken(bench, 100_001, ended=True)
    taken(bench, 100_002, ended=False)
    bench.runtimes = taken_run
    while worker.step():
        pass
    assert (waiting(RESULT_QUEUE), waiting(LIVE_RESULT_QUEUE)) == ([100_001], [100_002])
    bench.runtimes = {**taken_run, "worker": worker, "fast_processing": taker}
    bench.run()
    assert TfSlice.objects.filter(status="completed").count() == 2 * SLICES
