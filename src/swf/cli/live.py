"""The view of a run under way: a panel that is drawn again, or plain lines where there is no terminal."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from swf.core.times import Clock
from swf.epic.usecases.progress import Progress

DRAW_INTERVAL_S: Final = 0.25
LINE_INTERVAL_S: Final = 5.0
REPEAT_INTERVAL_S: Final = 60.0
"""How soon a line is written again that says nothing new."""
SLOW_INTERVAL_S: Final = 1.0
"""How often figures are asked for whose look-up grows with the run."""
_RATE_OVER_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What changes slowly around a run: alarms, and the exit buffer's filling in bytes."""

    alarms: tuple[str, ...] = ()
    buffer_used: int = 0
    buffer_capacity: int = 0


class Source(Protocol):
    """Where the view has its figures from."""

    @property
    def title(self) -> str:
        """The execution and its run."""
        ...

    @property
    def planned_stfs(self) -> int | None:
        """STFs that the run will have; None where it goes on until it is stopped."""
        ...

    @property
    def workers_here(self) -> int:
        """Payloads that may run here at one time; 0 where the workflow has none."""
        ...

    def progress(self) -> Progress:
        """The run."""
        ...

    def surroundings(self) -> Surroundings:
        """What is around it."""
        ...

    def daq(self) -> tuple[str, float]:
        """The DAQ's state, and simulated seconds since its script began."""
        ...

    def busy(self) -> int:
        """Payloads that run now."""
        ...


class Rate:
    """How fast a count grows, over the last seconds."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def __call__(self, now: float, count: int) -> float:
        """The count now; returns its growth per second."""
        self._points.append((now, count))
        while len(self._points) > 2 and now - self._points[0][0] > _RATE_OVER_S:
            self._points.popleft()
        first, before = self._points[0]
        return (count - before) / (now - first) if now > first else 0.0


class View:
    """Shows a run on standard error; call it as often as you like, it looks and draws at intervals."""

    def __init__(self, source: Source, console: Console, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._draw_at = self._line_at = self._slow_at = 0.0
        self._slow = Surroundings()
        self._said: tuple[str, ...] = ()
        self._last_line, self._repeat_at = "", 0.0
        self._stf_rate, self._slice_rate = Rate(), Rate()

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def restore(self) -> None:
        """Give the terminal back as it was, ahead of an end without notice."""
        if self._live is not None:
            self._console.show_cursor(True)

    def __call__(self) -> None:
        now = self._clock.monotonic()
        if now < self._draw_at:
            return
        self._draw_at = now + DRAW_INTERVAL_S
        progress = self._source.progress()
        if now >= self._slow_at:
            self._slow_at = now + SLOW_INTERVAL_S
            self._slow = self._source.surroundings()
        rates = self._stf_rate(now, progress.stfs), self._slice_rate(now, progress.completed)
        if self._live is not None:
            self._live.update(self._panel(progress, rates), refresh=True)
        else:
            self._line(now, progress, rates)

    def _line(self, now: float, progress: Progress, rates: tuple[float, float]) -> None:
        changes = (self._source.daq()[0], progress.phase, *self._slow.alarms)
        if now < self._line_at and changes == self._said:
            return
        new = [alarm for alarm in self._slow.alarms if alarm not in self._said]
        self._line_at, self._said = now + LINE_INTERVAL_S, changes
        parts = [f"{name}: {value}" for name, value in self._rows(progress, rates) if value]
        line = "; ".join([self._title(progress), *parts])
        if line != self._last_line or now >= self._repeat_at:
            self._last_line, self._repeat_at = line, now + REPEAT_INTERVAL_S
            self._console.print(line, soft_wrap=True)
        for alarm in new:
            self._console.print(f"ALARM: {alarm}", soft_wrap=True)

    def _title(self, progress: Progress) -> str:
        return f"{self._source.title}{', SIMULATED' if progress.simulated else ''}"

    def _panel(self, progress: Progress, rates: tuple[float, float]) -> Panel:
        bars = {
            "STFs": _bar(progress.stfs, progress.stfs_produced or self._source.planned_stfs),
            "slices": _bar(progress.completed, progress.slices),
        }
        table = Table.grid(padding=(0, 2))
        for name, value in self._rows(progress, rates):
            table.add_row(Text(name, style="dim"), bars.get(name, ""), Text(value or "-"))
        for alarm in self._slow.alarms:
            table.add_row(Text("ALARM", style="bold red"), "", Text(alarm, style="red"))
        return Panel(table, title=self._title(progress), title_align="left", expand=False)

    def _rows(self, progress: Progress, rates: tuple[float, float]) -> list[tuple[str, str]]:
        state, at = self._source.daq()
        produced = "" if progress.stfs_produced is None else f" of {progress.stfs_produced}"
        rows = [
            ("state", f"{state} at {at:.1f} s{f' ({progress.phase})' if progress.phase else ''}"),
            ("STFs", f"{progress.stfs}{produced} registered, {rates[0]:.2f}/s"),
        ]
        if self._source.workers_here:
            slices = f"{progress.queued} queued, {progress.processing} processing, {progress.completed} completed"
            target = f"{progress.target_workers} planned for, {self._source.workers_here} here"
            rows += [
                ("samples", f"{progress.tf_files} TF sample files"),
                ("slices", f"{slices}, {progress.failed} failed of {progress.slices}"),
                ("rate", f"{rates[1]:.1f} slices/s, lag {progress.lag_s:.1f} s"),
                ("workers", f"{target}, {self._source.busy()} at work"),
            ]
        used, capacity = self._slow.buffer_used / 1e9, self._slow.buffer_capacity / 1e9
        return [*rows, ("exit buffer", f"{used:.2f} of {capacity:g} GB")]


def _bar(done: int, total: int | None) -> RenderableType:
    """How much of it is done, where the whole is known."""
    return ProgressBar(total=total, completed=done, width=24) if total else ""
