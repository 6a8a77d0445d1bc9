"""When a process stops running an execution."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.db import OperationalError

from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.epic.usecases.progress import open_alarms, progress_of
from swf.epic.usecases.watch import Ending, Stall, Watch
from swf.store.models import Alarm
from taken_run import NOW, RUN, TakenRun


@dataclass
class Bench:
    """A watch whose surroundings the test decides."""

    clock: ManualClock = field(default_factory=ManualClock)
    idle: bool = True
    asked: bool = False
    closed: bool = False
    looks: int = 0
    questions: int = 0

    def stall(self, stall_s: float = 60.0) -> Stall:
        return Stall(RUN, "testbed", stall_s=stall_s, idle=lambda: self.idle, clock=self.clock)

    def watch(self, stall_s: float = 60.0) -> Watch:
        return Watch(
            interrupted=lambda: self.asked,
            closed=self.is_closed,
            stall=self.stall(stall_s),
            clock=self.clock,
            look=self.look,
        )

    def look(self) -> None:
        self.looks += 1

    def is_closed(self) -> bool:
        self.questions += 1
        return self.closed

    def found_within(self, stall: Stall, seconds: int) -> bool:
        """Whether the stall is found, with a look each half second."""
        for _ in range(2 * seconds):
            self.clock.advance(0.5)
            if stall.found():
                return True
        return False


@pytest.fixture
def bench(store: object) -> Bench:
    return Bench()


class TestStall:
    def test_nothing_happens_and_nothing_will(self, bench: Bench) -> None:
        stall = bench.stall()
        assert not bench.found_within(stall, 59)
        assert bench.found_within(stall, 3)

    def test_anything_that_happens_is_progress(self, bench: Bench) -> None:
        run = TakenRun()
        run.started()
        stall = bench.stall()
        for _ in range(5):
            assert not bench.found_within(stall, 50)
            run.event("slice_result")
        assert bench.found_within(stall, 63)

    def test_not_while_the_daq_has_steps_to_come(self, bench: Bench) -> None:
        bench.idle = False
        stall = bench.stall()
        assert not bench.found_within(stall, 300)
        bench.idle = True
        assert bench.found_within(stall, 2)

    @pytest.mark.parametrize("status", [WorkState.PROCESSING])
    def test_not_while_somebody_holds_an_item(self, bench: Bench, status: str) -> None:
        run = TakenRun()
        run.started()
        item = run.slice(run.sample(run.stf(1)), 0, status)
        stall = bench.stall()
        assert not bench.found_within(stall, 300)
        type(item).objects.update(status=WorkState.QUEUED)
        assert bench.found_within(stall, 2)

    def test_queued_items_that_nobody_takes_are_no_progress(self, bench: Bench) -> None:
        run = TakenRun()
        run.started()
        run.stf(1, WorkState.QUEUED)
        assert bench.found_within(bench.stall(), 63)

    def test_not_while_a_message_is_to_be_tried_again(self, bench: Bench) -> None:
        run = TakenRun()
        run.started()
        letter = run.letter("retrying")
        stall = bench.stall()
        assert not bench.found_within(stall, 300)
        type(letter).objects.update(state="parked")
        assert bench.found_within(stall, 2)

    def test_a_store_that_stays_away(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(run_number: int) -> int:
            raise OperationalError("disk I/O error")

        monkeypatch.setattr("swf.epic.usecases.watch.last_event", fails)
        stall = bench.stall()
        assert not bench.found_within(stall, 59)
        assert bench.found_within(stall, 3)


class TestWatch:
    def test_goes_on(self, bench: Bench) -> None:
        watch = bench.watch()
        assert not watch()
        assert watch.ending is None

    def test_closed(self, bench: Bench) -> None:
        watch = bench.watch()
        bench.closed = True
        assert watch()
        assert watch.ending is Ending.CLOSED

    def test_an_interrupt_comes_first(self, bench: Bench) -> None:
        watch = bench.watch()
        bench.closed = bench.asked = True
        assert watch()
        assert watch.ending is Ending.INTERRUPTED

    def test_stuck(self, bench: Bench) -> None:
        watch = bench.watch(stall_s=1.0)
        endings = []
        for _ in range(5):
            bench.clock.advance(0.5)
            watch()
            endings.append(watch.ending)
        assert endings[0] is None
        assert endings[-1] is Ending.STUCK

    def test_asks_no_more_often_than_it_must(self, bench: Bench) -> None:
        watch = bench.watch()
        for _ in range(100):
            watch()
            bench.clock.advance(0.001)
        assert bench.questions == bench.looks == 2

    def test_a_failing_store_is_left_to_the_loop(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails() -> bool:
            raise OperationalError("database is locked")

        monkeypatch.setattr(bench, "is_closed", fails)
        monkeypatch.setattr(bench, "look", fails)
        assert not bench.watch()()


@pytest.mark.usefixtures("store")
class TestProgress:
    def test_before_the_run_is_announced(self) -> None:
        assert progress_of(RUN, NOW).stfs == 0

    def test_its_figures(self) -> None:
        from swf.epic.models import RunState

        run = TakenRun()
        run.started()
        run.slice(run.sample(run.stf(1)), 0, WorkState.QUEUED)
        RunState.objects.update(slices_queued=1, slices_created=1, stf_registered=1, target_worker_count=30)
        progress = progress_of(RUN, NOW)
        assert (progress.phase, progress.stfs, progress.queued, progress.target_workers) == ("physics", 1, 1, 30)
        assert progress.lag_s == 10.0, "since it waits, not since it was made"
        assert progress.simulated
        assert not progress.closed

    def test_alarms_that_are_raised(self) -> None:
        Alarm.objects.create(namespace="testbed", key="a", text="one", raised_at=NOW)
        Alarm.objects.create(namespace="testbed", key="b", text="two", raised_at=NOW, cleared_at=NOW)
        Alarm.objects.create(namespace="other", key="a", text="three", raised_at=NOW)
        assert open_alarms("testbed") == ("one",)
