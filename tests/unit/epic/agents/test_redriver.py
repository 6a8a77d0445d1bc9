"""Slices that operators want tried once more: by the agent, once, and never of a run that is closed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from epic_bench import RUN, Daq, EpicBench, fails, fails_until_asked
from swf.core.errors import IllegalMoveError
from swf.core.scene import Scene
from swf.core.work import WorkState
from swf.epic.accounting import ledger_of
from swf.epic.models import RunState, SliceRetry, TfSlice
from swf.epic.usecases.retries import retry_slices
from swf.store.models import Attempt, Event, Run

SLICES = 3

pytestmark = pytest.mark.usefixtures("store")


def taken(bench: EpicBench) -> Daq:
    """A run of one STF that goes on, all of whose slices failed for good."""
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), daq.stf(1))
    bench.run()
    assert set(TfSlice.objects.values_list("status", "attempt", "retries")) == {("failed", 4, 3)}
    return daq


def bench_with(folder: Path, payload: object, bus: str = "memory") -> EpicBench:
    return EpicBench(folder, bus, payload=payload, fast_processing__slices_per_sample=SLICES)  # type: ignore[arg-type]


def wish(bench: EpicBench, *names: str) -> None:
    retry_slices(RUN, names, "ann", "the disk is there again", Scene(now=bench.clock.now()))


@pytest.mark.parametrize("bus", ["memory", "embedded"])
def test_a_slice_that_failed_for_good_is_done_after_all(tmp_path: Path, bus: str) -> None:
    with bench_with(tmp_path, fails_until_asked, bus) as bench:
        daq = taken(bench)
        wish(bench)
        bench.send(daq.end(1))
        bench.run()
    assert set(TfSlice.objects.values_list("status", "attempt", "retries", "max_retries")) == {("completed", 5, 4, 4)}
    assert not SliceRetry.objects.exists()
    assert ledger_of(RUN).complete
    assert Run.objects.get().closed_at is not None
    state = RunState.objects.get()
    assert (state.slices_queued, state.slices_completed, state.slices_failed) == (0, SLICES, 0)
    moves = Event.objects.filter(type="redrive")
    assert moves.count() == SLICES
    assert json.loads(moves[0].body)["note"] == "ann: the disk is there again"


def test_a_wish_is_one_attempt_and_no_more(tmp_path: Path) -> None:
    with bench_with(tmp_path, fails) as bench:
        daq = taken(bench)
        first = TfSlice.objects.order_by("id")[0].name
        wish(bench, first)
        bench.run()
        attempts = dict(TfSlice.objects.values_list("name", "attempt"))
        assert sorted(attempts.values()) == [4, 4, 5]
        assert attempts[first] == 5
        assert TfSlice.objects.get(name=first).status == WorkState.FAILED
        wish(bench, first)
        bench.run()
        assert Attempt.objects.filter(item=first).count() == 6
        bench.send(daq.end(1))
        bench.run()
        assert Run.objects.get().closed_at is not None
        with pytest.raises(IllegalMoveError, match="is closed"):
            wish(bench, first)


def test_a_wish_outlives_the_process(tmp_path: Path) -> None:
    with bench_with(tmp_path, fails_until_asked) as bench:
        taken(bench)
        bench.kill()
        wish(bench)
        bench.start()
        bench.run()
        assert set(TfSlice.objects.values_list("status", flat=True)) == {"completed"}


def test_a_run_with_a_wish_is_not_closed(tmp_path: Path) -> None:
    with bench_with(tmp_path, fails) as bench:
        daq = taken(bench)
        bench.kill()
        # The agent that would carry it out is not there; the one that closes runs is.
        bench._roles = ("data",)
        bench.start()
        wish(bench)
        bench.send(daq.end(1))
        bench.run()
        assert ledger_of(RUN).balanced
        assert Run.objects.get().closed_at is None


def test_a_wish_is_void_where_the_slice_has_moved_on_or_the_run_is_closed(tmp_path: Path) -> None:
    with bench_with(tmp_path, fails) as bench:
        taken(bench)
        bench.kill()
        wish(bench)
        done, later, _ = TfSlice.objects.order_by("id")
        TfSlice.objects.filter(pk=done.pk).update(status=WorkState.COMPLETED)
        TfSlice.objects.filter(pk=later.pk).update(attempt=5)
        bench.start()
        bench.run()
        assert Event.objects.filter(type="redrive").count() == 1
        assert set(Event.objects.filter(type="retry_void").values_list("subject", flat=True)) == {done.name, later.name}
        assert not SliceRetry.objects.exists()
        wish(bench, later.name)
        Run.objects.update(closed_at=bench.clock.now())
        bench.run()
        assert TfSlice.objects.get(pk=later.pk).status == WorkState.FAILED
        assert Event.objects.filter(type="retry_void").count() == 3
        assert not SliceRetry.objects.exists()


def test_other_namespaces_are_left_alone(tmp_path: Path) -> None:
    with bench_with(tmp_path, fails) as bench:
        taken(bench)
        wish(bench)
        TfSlice.objects.update(namespace="other")
        bench.run()
        assert SliceRetry.objects.count() == SLICES
