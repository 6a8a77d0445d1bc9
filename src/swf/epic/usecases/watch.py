"""Deciding, while an execution runs, whether to stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from enum import StrEnum

from django.db import OperationalError

from swf.core.times import Clock
from swf.epic.usecases.progress import last_event, under_way

CLOSED_INTERVAL_S = 0.05
STALL_INTERVAL_S = 1.0


class Ending(StrEnum):
    """Why a process stops running an execution."""

    CLOSED = "closed"
    """Its run is closed by its ledger."""
    INTERRUPTED = "interrupted"
    """A person or the host asked for it."""
    STUCK = "stuck"
    """Nothing has happened for long, nothing is under way, and no step of the DAQ is to come by itself."""


class Stall:
    """Finds out that a run can go no further by itself.

    While anything happens, rows are added to the event log. Where none was for `stall_s` seconds, no item is held by
    anybody, no message is to be tried again and the DAQ is idle, none will come: the run waits for a person. `idle`
    tells whether the DAQ writes no STF and has no step at a later time.
    """

    def __init__(
        self, run_number: int, namespace: str, *, stall_s: float, idle: Callable[[], bool], clock: Clock
    ) -> None:
        self._run_number = run_number
        self._namespace = namespace
        self._stall_s = stall_s
        self._idle = idle
        self._clock = clock
        self._last = -1
        self._since = clock.monotonic()
        self._look_at = 0.0
        self._found = False

    def found(self) -> bool:
        """Whether the run is stuck. Looks at the rows once a second at most."""
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + min(STALL_INTERVAL_S, self._stall_s / 2)
            self._found = self._look(now)
        return self._found

    def _look(self, now: float) -> bool:
        try:
            last = last_event(self._run_number)
            if last != self._last:
                self._last, self._since = last, now
                return False
            quiet = now - self._since >= self._stall_s and self._idle()
            return quiet and under_way(self._run_number, self._namespace) == 0
        except OperationalError:
            # The loop waits for its database, with back-off; a database that stays away for long is a reason to stop.
            return now - self._since >= self._stall_s


class Watch:
    """What the loop asks after every step; cheap where it is asked often.

    `closed` asks the database; `look` may draw something.
    """

    def __init__(
        self,
        *,
        interrupted: Callable[[], bool],
        closed: Callable[[], bool],
        stall: Stall,
        clock: Clock,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._interrupted = interrupted
        self._closed = closed
        self._stall = stall
        self._clock = clock
        self._look = look
        self._ask_at = 0.0
        self.ending: Ending | None = None

    def __call__(self) -> bool:
        """Whether it is enough; `ending` then says why."""
        if self._interrupted():
            self.ending = Ending.INTERRUPTED
        elif self._clock.monotonic() >= self._ask_at:
            self._ask_at = self._clock.monotonic() + CLOSED_INTERVAL_S
            with contextlib.suppress(OperationalError):
                self._look()
            if self._is_closed():
                self.ending = Ending.CLOSED
            elif self._stall.found():
                self.ending = Ending.STUCK
        return self.ending is not None

    def _is_closed(self) -> bool:
        try:
            return self._closed()
        except OperationalError:
            return False
