"""The loop of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from locked import locked
from messaging_bench import Bench
from swf.core.errors import ServiceError
from swf.messaging.agent import Agent
from swf.service.identity import Heartbeats
from swf.service.logs import LogSink
from swf.service.loop import Loop
from swf.store.models import AppLog, Counter
from swf.store.work import ConflictError


class Actor:
    """An agent that does what the test says."""

    def __init__(self, act: Callable[[Any], bool]) -> None:
        self.act = act
        self.steps = 0

    def step(self, begin: Any) -> bool:
        self.steps += 1
        return self.act(begin)


class LoopBench(Actor):
    """A loop around one agent, or more, that do what the test says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda begin: False)
        self.bench = Bench("embedded")
        self.log = folder / "loop.log"
        self.sink = LogSink(self.log, "test", self.bench.clock)
        self.wake = threading.Event()
        self._runtimes = [self.bench.runtime(Agent(role="data", reconcilers=(self,)))]
        self._compose()

    def add(self, role: str, act: Callable[[Any], bool]) -> Actor:
        """One more agent."""
        actor = Actor(act)
        self._runtimes.append(self.bench.runtime(Agent(role=role, reconcilers=(actor,))))
        self._compose()
        return actor

    def _compose(self) -> None:
        identities = [runtime.identity for runtime in self._runtimes]
        self.loop = Loop(
            self._runtimes,
            clock=self.bench.clock,
            wake=self.wake,
            heartbeats=Heartbeats(identities, self.bench.clock),
            sink=self.sink,
        )


@pytest.fixture
def bench(sqlite_store: Path, tmp_path: Path) -> Iterator[LoopBench]:
    bench = LoopBench(tmp_path)
    yield bench
    bench.sink.close()


def write(begin: Any) -> bool:
    with begin():
        Counter.objects.create(name=f"row {Counter.objects.count()}")
    return True


def test_it_tells_whether_anything_was_done(bench: LoopBench) -> None:
    assert not bench.loop.step()
    bench.act = write
    assert bench.loop.step()


def test_a_failing_database_is_a_pause_and_not_the_end(bench: LoopBench, sqlite_store: Path) -> None:
    bench.act = write
    with locked(sqlite_store):
        assert not bench.loop.step()
    assert not bench.loop.step(), "it is left alone for a while"
    bench.bench.clock.advance(0.1)
    assert bench.loop.step()
    assert Counter.objects.count() == 1
    assert '"event": "database_failed"' in bench.log.read_text()
    bench.sink.step()
    assert AppLog.objects.filter(event="database_failed", levelname="ERROR").exists()


def test_an_item_that_somebody_else_moved_is_looked_at_again(bench: LoopBench) -> None:
    outcomes: list[Exception | None] = [ConflictError("1 of 1 TfSlice rows were moved by another"), None]

    def act(begin: Any) -> bool:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return write(begin)

    bench.act = act
    assert not bench.loop.step()
    bench.bench.clock.advance(0.1)
    assert bench.loop.step()
    assert '"event": "conflict"' in bench.log.read_text()


def test_a_service_that_does_not_answer_pauses_its_agent_and_no_other(bench: LoopBench) -> None:
    def act(begin: Any) -> bool:
        raise ServiceError("the catalogue does not answer")

    other = bench.add("fastmon", write)
    bench.act = act
    tries = []
    for tenth in range(60):
        before = bench.steps
        bench.loop.step()
        tries += [tenth] * (bench.steps - before)
        bench.bench.clock.advance(0.1)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses[0] <= 2
    assert pauses == sorted(pauses)
    assert 10 <= pauses[-1] <= 11
    assert other.steps == Counter.objects.count() == 60
    assert '"event": "try_again"' in bench.log.read_text()
    bench.act = write
    bench.bench.clock.advance(1)
    bench.loop.step()
    assert Counter.objects.count() == 62


def test_an_error_that_nobody_expected_ends_the_process(bench: LoopBench) -> None:
    def act(begin: Any) -> bool:
        raise ZeroDivisionError

    bench.act = act
    with pytest.raises(ZeroDivisionError):
        bench.loop.step()


def test_it_runs_until_it_is_enough_and_waits_only_when_nothing_is_to_do(bench: LoopBench) -> None:
    work = [True, True, False, True, False]
    waits: list[float] = []
    bench.act = lambda begin: work.pop(0)
    bench.wake.wait = lambda seconds=None: bool(waits.append(seconds or 0.0))  # type: ignore[method-assign]
    bench.loop.run(lambda: not work, lambda: 0.03)
    assert bench.steps == 5
    assert waits == [0.03, 0.03]


def test_it_does_not_wait_longer_than_a_moment(bench: LoopBench) -> None:
    waits: list[float] = []
    bench.wake.wait = lambda seconds=None: bool(waits.append(seconds or 0.0))  # type: ignore[method-assign]
    bench.loop.run(lambda: bench.steps >= 2, lambda: 3600.0)
    bench.loop.run(lambda: bench.steps >= 4, lambda: None)
    assert waits == [0.1] * 4
