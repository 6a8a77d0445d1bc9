"""The view of a run under way, and interrupts."""

from __future__ import annotations

import io
import os
import signal
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from swf.cli.interrupts import Interrupts
from swf.cli.live import Rate, Surroundings, View
from swf.core.times import ManualClock
from swf.epic.usecases.progress import Progress


@dataclass
class Figures:
    """Figures that the test decides; counts how often it is asked."""

    title: str = "fast_processing-me-0001, run 100010"
    workers_here: int = 2
    planned_stfs: int | None = 10
    now: Progress = field(default_factory=Progress)
    alarms: tuple[str, ...] = ()
    state: str = "run/physics"
    asked: int = 0
    asked_slowly: int = 0

    def progress(self) -> Progress:
        self.asked += 1
        return self.now

    def surroundings(self) -> Surroundings:
        self.asked_slowly += 1
        return Surroundings(alarms=self.alarms, buffer_used=500_000_000, buffer_capacity=20_000_000_000)

    def daq(self) -> tuple[str, float]:
        return self.state, 13.1

    def busy(self) -> int:
        return 1


def console(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=200, markup=False, highlight=False, color_system=None
    )


def text(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


class TestPlainLines:
    def lines(self, figures: Figures, changes: dict[float, dict[str, object]], until: float = 12.0) -> list[str]:
        clock, shown = ManualClock(), console(terminal=False)
        with View(figures, shown, clock) as view:
            while clock.monotonic() < until:
                for name, value in changes.get(clock.monotonic(), {}).items():
                    setattr(figures, name, value)
                view()
                clock.advance(0.125)
        return text(shown).splitlines()

    def test_every_few_seconds(self) -> None:
        figures = {float(second): {"now": Progress(tf_files=second)} for second in range(12)}
        lines = self.lines(Figures(), figures)
        assert len(lines) == 3
        assert lines[0].startswith("fast_processing-me-0001, run 100010; state: run/physics at 13.1 s; STFs: 0")

    def test_what_stands_still_is_said_once_a_minute(self) -> None:
        assert len(self.lines(Figures(), {}, until=59.0)) == 1
        assert len(self.lines(Figures(), {}, until=119.0)) == 2

    def test_on_each_change_of_state(self) -> None:
        lines = self.lines(Figures(), {1.0: {"state": "run/standby"}, 2.0: {"state": "run/physics"}}, until=4.0)
        assert ["standby" in line for line in lines] == [False, True, False]

    def test_an_alarm_once(self) -> None:
        lines = self.lines(Figures(), {1.0: {"alarms": ("the exit buffer is full",)}})
        assert [line for line in lines if "ALARM" in line] == ["ALARM: the exit buffer is full"]

    def test_all_its_figures(self) -> None:
        now = Progress(
            phase="physics",
            stfs=3,
            stfs_produced=10,
            tf_files=2,
            slices=30,
            queued=5,
            processing=2,
            completed=22,
            failed=1,
            target_workers=30,
            lag_s=1.5,
            simulated=True,
        )
        (line,) = self.lines(Figures(now=now), {}, until=1.0)
        for part in (
            "run 100010, SIMULATED",
            "(physics)",
            "3 of 10 registered",
            "2 TF sample files",
            "5 queued, 2 processing, 22 completed, 1 failed of 30",
            "lag 1.5 s",
            "30 planned for, 2 here, 1 at work",
            "0.50 of 20 GB",
        ):
            assert part in line

    def test_without_workers_there_are_no_slices(self) -> None:
        (line,) = self.lines(Figures(workers_here=0), {}, until=1.0)
        assert "slices" not in line
        assert "workers" not in line


def test_a_terminal_gets_a_panel_and_its_cursor_back() -> None:
    clock, shown = ManualClock(), console(terminal=True)
    with View(Figures(alarms=("look here",)), shown, clock) as view:
        view()
    out = text(shown)
    assert "ALARM" in out
    assert "look here" in out
    assert out.rindex("\x1b[?25h") > out.rindex("\x1b[?25l")


def test_it_asks_four_times_a_second_at_most() -> None:
    figures, clock = Figures(), ManualClock()
    with View(figures, console(terminal=False), clock) as view:
        for _ in range(1000):
            view()
            clock.advance(0.01)
    assert figures.asked <= 41
    assert figures.asked_slowly <= 11


def test_a_rate_over_the_last_seconds() -> None:
    rate = Rate()
    assert rate(0.0, 0) == 0.0
    assert rate(1.0, 10) == 10.0
    for second in range(2, 30):
        rate(float(second), 10)
    assert rate(30.0, 10) == 0.0


class TestInterrupts:
    def test_the_first_is_remembered(self) -> None:
        with Interrupts().caught() as interrupts:
            assert not interrupts.asked()
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupts.asked()
            assert interrupts.name == "Ctrl-C"

    def test_a_request_to_end_as_well(self) -> None:
        with Interrupts().caught() as interrupts:
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupts.name == "SIGTERM"
            os.kill(os.getpid(), signal.SIGTERM)

    def test_a_second_one_ends_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        done: list[object] = []
        monkeypatch.setattr(os, "_exit", done.append)
        with Interrupts(before_exit=lambda: done.append("terminal")).caught():
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
        assert done == ["terminal", 130]

    def test_handlers_are_put_back(self) -> None:
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with Interrupts().caught():
            assert signal.getsignal(signal.SIGINT) != before[0]
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
