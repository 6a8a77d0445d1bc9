"""One clock for all processes of a testbed: that of the database server.

Leases, heartbeats and alarms compare an instant that one process wrote with the present instant of another one. On
several hosts these are different clocks, and one that is an hour wrong would take every agent for dead and every lease
for run out. So each process asks the database what time it is, and goes on from there by its own monotonic clock, which
never steps.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from swf.core.times import Clock, Interval

_EVERY_S: Final = 10.0
_LONGEST_QUESTION_S: Final = 1.0
"""An answer that took longer says too little of when it was given."""


class DatabaseClock:
    """The database server's instant. Until the server was asked for the first time, and with SQLite, whose one process
    is on one host, it is that of `local`. `now` may be asked for on any thread; the others are for the database's."""

    def __init__(self, local: Clock) -> None:
        self._local = local
        self._known: tuple[datetime, float] | None = None
        """An instant of the server, and when that was on our monotonic clock."""
        self._due = Interval(local, _EVERY_S)

    def now(self) -> datetime:
        if self._known is None:
            return self._local.now()
        instant, at = self._known
        return instant + timedelta(seconds=self._local.monotonic() - at)

    def monotonic(self) -> float:
        return self._local.monotonic()

    def step(self) -> bool:
        """Ask the server again, when it is time. There is never more to do at once.

        Raises:
            OperationalError: the database failed; the clock goes on as it did.
        """
        if self._due.is_over():
            self.synchronise()
        return False

    def synchronise(self) -> None:
        """Ask the server now.

        Raises:
            OperationalError: the database failed; the clock goes on as it did.
        """
        if connection.vendor != "postgresql":
            return
        connection.ensure_connection()
        asked = self._local.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            row = cursor.fetchone()
        answered = self._local.monotonic()
        if row is not None and (self._known is None or answered - asked <= _LONGEST_QUESTION_S):
            self._known = (row[0], (asked + answered) / 2)
