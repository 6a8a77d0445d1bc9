"""The loop of a process: every agent takes its step in turn; when none had anything to do, it waits for a reason to go
on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from django.db import InterfaceError, OperationalError

from swf.core.times import Clock
from swf.messaging.runtime import Runtime
from swf.service.identity import Heartbeats
from swf.service.logs import Log, LogSink
from swf.store import database
from swf.store.work import ConflictError

_LONGEST_WAIT_S = 0.1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0


class Loop:
    """Runs the agents of one process on the calling thread, which is its database thread.

    `wake` is set by whoever finishes something on another thread. A failing database (no connection, a deadlock, a time
    limit) is a pause with back-off, at most a second: nothing of the failed step took effect, and it is done again over
    a new connection. So it is where another process was first.
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
        while not self._guarded(until):
            self._wake.clear()
            if not self.step():
                due = next_due()
                wait = _LONGEST_WAIT_S if due is None else min(due, _LONGEST_WAIT_S)
                self._wake.wait(max(wait, self._pause_s))

    def step(self) -> bool:
        """One round of all agents. Returns whether any had something to do."""
        return self._guarded(self._round)

    def _round(self) -> bool:
        worked = [runtime.step() for runtime in self._runtimes]
        self._heartbeats.step()
        self._sink.step()
        self._pause_s = 0.0
        return any(worked)

    def _guarded(self, act: Callable[[], bool]) -> bool:
        """What it returns; False where the database failed."""
        try:
            return act()
        except (OperationalError, InterfaceError, ConflictError) as error:
            database.recover()
            self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            event = "conflict" if isinstance(error, ConflictError) else "database_failed"
            self._log.error(event, error=str(error), pause_s=self._pause_s)
            return False
