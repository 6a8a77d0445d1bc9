"""The loop of a process: every agent takes its step in turn; when none had anything to do, it waits for a reason to go
on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from swf.core.errors import RetriableError
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
    limit), another process that was first, or a service or disk that does not answer is a pause with back-off, at most
    a second, for the agent that met it: nothing of its step took effect, and it is done again, over a new connection.
    The others go on meanwhile. `others` are what else takes steps here, by name, such as the relay.
    """

    def __init__(
        self,
        runtimes: Sequence[Runtime],
        *,
        clock: Clock,
        wake: threading.Event,
        heartbeats: Heartbeats,
        sink: LogSink,
        others: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
    ) -> None:
        self._clock = clock
        self._wake = wake
        log: Log = sink.logger("loop")
        self._agents = [Patient(runtime.step, clock, log, runtime.identity.name) for runtime in runtimes]
        self._agents += [Patient(step, clock, log, name) for name, step in others.items()]
        self._records = Patient(lambda: _both(heartbeats, sink), clock, log, "heartbeats and log")
        self._log = log

    def run(self, until: Callable[[], bool], next_due: Callable[[], float | None] = lambda: None) -> None:
        """Step until `until` says that it is enough. `next_due` tells seconds to the next thing with a time, if any."""
        enough = Patient(until, self._clock, self._log, "the end")
        while not enough.step():
            self._wake.clear()
            if not self.step():
                due = next_due()
                self._wake.wait(_LONGEST_WAIT_S if due is None else min(due, _LONGEST_WAIT_S))

    def step(self) -> bool:
        """One round of all agents. Returns whether any had something to do."""
        worked = [agent.step() for agent in self._agents]
        self._records.step()
        return any(worked)


def _both(heartbeats: Heartbeats, sink: LogSink) -> bool:
    heartbeats.step()
    sink.step()
    return False


class Patient:
    """Something that is done again and again, and left alone for a while where it fails for a reason that may pass."""

    def __init__(self, act: Callable[[], bool], clock: Clock, log: Log, who: str) -> None:
        self._act = act
        self._clock = clock
        self._log = log
        self._who = who
        self._pause_s = 0.0
        self._not_before = 0.0

    def step(self) -> bool:
        """What the act returns; False while it is left alone."""
        if self._clock.monotonic() < self._not_before:
            return False
        try:
            worked = self._act()
        except (*database.FAILURES, RetriableError) as error:
            database.recover()
            self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            self._not_before = self._clock.monotonic() + self._pause_s
            self._log.error(_event(error), who=self._who, error=str(error), pause_s=self._pause_s)
            return False
        self._pause_s = 0.0
        return worked


def _event(error: Exception) -> str:
    match error:
        case ConflictError():
            return "conflict"
        case RetriableError():
            return "try_again"
        case _:
            return "database_failed"
