"""The loop of a process: every agent takes its step in turn; when none had anything to do, it waits for a reason to go
on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from django.db import OperationalError

from swf.core.times import Clock
from swf.messaging.runtime import Runtime
from swf.service.identity import Heartbeats
from swf.service.logs import Log, LogSink

_LONGEST_WAIT_S = 0.1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0


class Loop:
    """Runs the agents of one process on the calling thread, which is its database thread.

    `wake` is set by whoever finishes something on another thread. A failing database is a pause with back-off: nothing
    of the failed step took effect, and it is done again.
    """

    def __init__(
        self, runtimes: Sequence[Runtime], *, clock: Clock, wake: threading.Event, heartbeats: Heartbeats, sink: LogSink
    ) -> None:
        self._runtimes = runtimes
        self._clock = clock
        self._wake = wake
        self._heartbeats = heartbeats
        self._sink = sink
        self._log: Log = sink.logger("loop")
        self._pause_s = 0.0

    def run(self, until: Callable[[], bool], next_due: Callable[[], float | None] = lambda: None) -> None:
        """Step until `until` says that it is enough. `next_due` tells seconds to the next thing with a time, if any."""
        while not until():
            self._wake.clear()
            if not self.step():
                due = next_due()
                wait = _LONGEST_WAIT_S if due is None else min(due, _LONGEST_WAIT_S)
                self._wake.wait(max(wait, self._pause_s))

    def step(self) -> bool:
        """One round of all agents. Returns whether any had something to do."""
        try:
            worked = [runtime.step() for runtime in self._runtimes]
            self._heartbeats.step()
            self._sink.step()
        except OperationalError as error:
            self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            self._log.error("database_failed", error=str(error), pause_s=self._pause_s)
            return False
        self._pause_s = 0.0
        return any(worked)
