"""The pool itself: order, counts, cancelling, closing."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
from workbench import PATIENCE_S, MakeBench, entry, python, shell

from swf.core.errors import BusyError, ConfigError, PayloadError
from swf.core.payload import Outcome
from swf.core.times import SystemClock
from swf.workload.noop import NOOP
from swf.workload.pool import PayloadPool
from swf.workload.port import Pool


def test_never_more_run_than_there_are_places_and_the_rest_wait_in_order(bench: MakeBench) -> None:
    at = bench(python("hold"), size=2)
    pipe = at.open_pipe()
    for key in "abcd":
        at.submit(key, address=str(at.pipe))
    pipe.holders(2)
    assert (at.pool.running(), at.pool.queued()) == (2, 2)
    assert [job.key for job in at.pool.close(0.0)] == ["a", "b", "c", "d"]
    pipe.wait_until_all_are_gone()
    assert (at.pool.running(), at.pool.queued()) == (0, 0)


def test_one_place_works_in_the_order_of_submission(bench: MakeBench) -> None:
    at = bench(entry("write"))
    keys = [str(number) for number in range(30)]
    for key in keys:
        at.submit(key)
    assert list(at.take(30)) == keys


def test_the_caller_is_woken_once_for_what_waits(bench: MakeBench, tmp_path: Path) -> None:
    woken = threading.Semaphore(0)
    pool: Pool
    with PayloadPool(NOOP, size=1, clock=SystemClock(), on_ready=woken.release, scratch=tmp_path) as pool:
        for key in "abc":
            pool.submit(bench(NOOP).job(key))
        while pool.running() or pool.queued():
            pass
        assert woken.acquire(timeout=PATIENCE_S)
        assert [result.key for result in pool.take()] == ["a", "b", "c"]
        assert pool.take() == []
        assert not woken.acquire(blocking=False), "woken once for three results"
        pool.submit(bench(NOOP).job("a"))
        assert woken.acquire(timeout=PATIENCE_S), "a key may come again once its result was there"
    assert [result.key for result in pool.take()] == ["a"], "what waited at the close can still be taken"


def test_an_attempt_is_taken_once(bench: MakeBench) -> None:
    at = bench(python("hold"))
    pipe = at.open_pipe()
    at.submit("a", address=str(at.pipe))
    with pytest.raises(BusyError, match="'a'"):
        at.submit("a")
    pipe.holders(1)
    with pytest.raises(BusyError, match="'a'"):
        at.submit("a")


@pytest.mark.parametrize("spec", [python("hold"), entry("hold")])
def test_cancelling(bench: MakeBench, spec: object) -> None:
    at = bench(spec)
    pipe = at.open_pipe()
    for key in ("runs", "waits"):
        at.submit(key, address=str(at.pipe))
    pipe.holders(1)
    assert at.pool.cancel("waits")
    assert at.take()["waits"].outcome is Outcome.CANCELLED
    assert at.pool.cancel("runs")
    cancelled = at.take()["runs"]
    assert (cancelled.outcome, cancelled.exit_code) == (Outcome.CANCELLED, -9)
    pipe.wait_until_all_are_gone()
    assert not at.pool.cancel("runs")
    assert (at.pool.running(), at.pool.queued()) == (0, 0)


def test_closing_lets_a_payload_end_by_itself(bench: MakeBench) -> None:
    at = bench(shell('trap \'echo x >"$1.saved"; exit 0\' TERM; echo 1 1 >"$2"; while :; do sleep 0.01; done'))
    pipe = at.open_pipe()
    at.submit("k", address=str(at.pipe))
    pipe.holders(1)
    assert [job.key for job in at.pool.close(PATIENCE_S)] == ["k"]
    assert (at.outputs / "k.root.saved").exists()


def test_closing_twice_does_nothing(bench: MakeBench) -> None:
    at = bench(entry("write"))
    at.submit("a")
    at.take()
    assert at.pool.close(1.0) == []
    assert at.pool.close(1.0) == []
    with pytest.raises(PayloadError, match="closed"):
        at.submit("b")
    with pytest.raises(PayloadError, match="closed"):
        at.pool.prewarm()
    assert not at.pool.cancel("a")
    assert list(at.scratch.iterdir()) == []


def test_a_pool_that_was_never_used_closes(bench: MakeBench) -> None:
    assert bench(NOOP).pool.close(0.0) == []


def test_prewarmed_children_are_there_for_the_first_jobs(bench: MakeBench) -> None:
    at = bench(entry("write"), size=2)
    at.pool.prewarm()
    assert at.run().outcome is Outcome.OK
    assert sorted(path.name for path in at.scratch.iterdir()) == ["slot-0", "slot-1"]


def test_a_pool_that_fails_itself_tells_whoever_takes(bench: MakeBench, tmp_path: Path) -> None:
    called = threading.Event()

    def broken() -> None:
        called.set()
        raise RuntimeError("the bell is broken")

    pool = PayloadPool(NOOP, size=1, clock=SystemClock(), on_ready=broken, scratch=tmp_path)
    pool.submit(bench(NOOP).job("k"))
    assert called.wait(PATIENCE_S)
    pool.close(0.0)
    assert [result.key for result in pool.take()] == ["k"]
    with pytest.raises(PayloadError, match="the bell is broken"):
        pool.take()
    with pytest.raises(PayloadError):
        pool.submit(bench(NOOP).job("l"))


def test_a_pool_without_places_is_refused(bench: MakeBench) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        bench(NOOP, size=0)


def test_nothing_is_left_open(bench: MakeBench) -> None:
    open_now = Path("/proc/self/fd")
    before = len(list(open_now.iterdir()))
    for _ in range(5):
        at = bench(entry(), size=2)
        at.run()
        at.run("segfault")
        at.pool.close(0.0)
    gc.collect()
    assert len(list(open_now.iterdir())) == before
