"""The figures of runs: increments only, written together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from slice_rows import make_run, make_slices
from swf.core.ids import CountingIds
from swf.core.times import ManualClock
from swf.epic.models import RunState
from swf.epic.run_counts import RunCounts
from swf.store.work import WorkMoves

CLOCK = ManualClock()


def test_increments_of_a_transaction_are_one_statement_per_run(store: Path) -> None:
    for run in (1, 2):
        make_run(run, CLOCK)
    counts = RunCounts()
    for _ in range(10):
        counts.add(1, stf_registered=1, slices_created=15)
        counts.add(2, slices_created=2, slices_queued=-2)
    with CaptureQueriesContext(connection) as queries:
        counts.save(CLOCK.now())
    assert len(queries) == 2
    assert RunState.objects.values_list("stf_registered", "slices_created", "slices_queued").get(pk=1) == (10, 150, 0)
    assert RunState.objects.values_list("stf_registered", "slices_created", "slices_queued").get(pk=2) == (0, 20, -20)


def test_what_comes_to_nothing_is_not_written_and_nothing_is_written_twice(store: Path) -> None:
    make_run(1, CLOCK)
    counts = RunCounts()
    counts.add(1, stf_registered=3)
    counts.add(1, stf_registered=-3)
    with CaptureQueriesContext(connection) as queries:
        counts.save(CLOCK.now())
    assert len(queries) == 0
    counts.add(1, stf_registered=1)
    counts.save(CLOCK.now())
    counts.save(CLOCK.now())
    assert RunState.objects.get().stf_registered == 1


def test_two_that_count_at_the_same_time_do_not_overwrite_each_other(store: Path) -> None:
    make_run(1, CLOCK)

    def count(_: int) -> None:
        try:
            for _ in range(25):
                counts = RunCounts()
                counts.add(1, slices_completed=1)
                counts.save(CLOCK.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    assert RunState.objects.get().slices_completed == 100


def test_moves_of_slices_are_followed_from_state_to_state(store: Path) -> None:
    ids = CountingIds()
    slices = make_slices(make_run(1, CLOCK), 4, CLOCK, ids)
    moves = WorkMoves(ids, CLOCK.now())
    for item in slices:
        moves.claim(item, "w", 1.0)
    moves.complete(slices[0])
    moves.fail(slices[1], "no")
    moves.fail(slices[2], "no", retry=False)
    counts = RunCounts()
    counts.add_slice_moves(moves)
    counts.save(CLOCK.now())
    state = RunState.objects.get()
    assert (state.slices_queued, state.slices_processing, state.slices_completed, state.slices_failed) == (1, 1, 1, 1)
