"""Threads for slow input and output."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from swf.service.io_pool import IoPool


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def pool(bell: Bell) -> Iterator[IoPool]:
    pool = IoPool(2, bell)
    yield pool
    pool.close()


def test_results_are_taken_once_by_who_submitted_with_the_key(pool: IoPool, bell: Bell) -> None:
    pool.submit("verify", 1, pow, 2, 3)
    pool.submit("verify", 2, int, "12", base=8)
    pool.submit("sample", 1, len, "abc")
    for owner in ("verify", "sample"):
        pool.wait(owner)
    assert sorted((key, future.result()) for key, future in pool.take("verify")) == [(1, 8), (2, 10)]
    assert pool.take("verify") == []
    assert [(key, future.result()) for key, future in pool.take("sample")] == [(1, 3)]
    assert bell.rung == 3


def test_what_was_raised_comes_with_its_key(pool: IoPool) -> None:
    pool.submit("verify", "bad", int, "x")
    pool.wait("verify")
    ((key, future),) = pool.take("verify")
    assert key == "bad"
    assert isinstance(future.exception(), ValueError)


def test_it_tells_how_much_is_not_taken_back_yet(pool: IoPool) -> None:
    gate = threading.Event()
    assert pool.running("verify") == 0
    pool.submit("verify", 1, gate.wait, 60)
    assert pool.running("verify") == 1
    assert pool.take("verify") == []
    gate.set()
    pool.wait("verify")
    assert pool.running("verify") == 1
    pool.take("verify")
    assert pool.running("verify") == 0


def test_what_was_waited_for_can_be_taken_at_once(pool: IoPool) -> None:
    for _ in range(300):
        for key in range(3):
            pool.submit("verify", key, int)
        pool.wait("verify")
        assert len(pool.take("verify")) == 3


def test_nothing_was_submitted_by_a_stranger(pool: IoPool) -> None:
    assert pool.take("nobody") == []
    pool.wait("nobody")


def test_at_its_end_it_waits_for_what_runs_and_drops_the_rest() -> None:
    began, gate, done = threading.Event(), threading.Event(), []
    # The bell is rung for what is dropped, and then only the first goes on.
    pool = IoPool(1, gate.set)

    def first() -> None:
        began.set()
        gate.wait(60)
        done.append("first")

    pool.submit("a", 1, first)
    pool.submit("a", 2, done.append, "second")
    began.wait(60)
    pool.close()
    assert done == ["first"]
