"""The sequencer: numbers the rows of the event log in an order that a reader's cursor can follow.

Transactions of PostgreSQL commit in any order, so a number that is taken at insert can appear after a higher one was
read. Rows are therefore inserted without a number. Only what is committed is seen here, and one process at a time gives
out the numbers, without gaps, in one transaction per batch: what a reader sees is always complete up to the highest
number. Sources: PostgreSQL's manual, sections 9.17 (what sequences promise) and 13.3.5 (advisory locks).
"""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from swf.core.times import Clock

CHANNEL: Final = "swf_events"
"""Where PostgreSQL tells readers that there are more numbered rows. The notification says nothing else."""

LOCK: Final = 0x53574602
"""The key of the advisory lock that the process holds which numbers rows; PostgreSQL frees it when that ends."""

SEAT: Final = 0x53574603
"""The key of the advisory lock of the process whose turn it is to number rows for as long as it lives."""

_STAND_BY_S: Final = 1.0
"""How soon a process asks again whether the one that numbers rows is gone."""

# The planner shall walk along the index of rows without a number: that also clears it of those that have one by now.
_TAKE_LOCK: Final = (
    "SELECT pg_try_advisory_xact_lock(%s), set_config('enable_bitmapscan', 'off', true),"
    " set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)"
)

_NUMBER: Final = """
WITH batch AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS size
    FROM (SELECT id FROM store_event WHERE seq IS NULL ORDER BY id LIMIT %s) AS waiting
), counter AS (
    INSERT INTO store_counter AS c (name, value) SELECT 'event_seq', max(size) FROM batch HAVING count(*) > 0
    ON CONFLICT (name) DO UPDATE SET value = c.value + excluded.value RETURNING value
)
UPDATE store_event AS e SET seq = counter.value - batch.size + batch.place
FROM batch, counter WHERE e.id = batch.id
"""


def take_seat() -> bool:
    """Become the process that numbers rows, until this connection ends; False where another one is. So those that stand
    by do not ask for rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SEAT])
        row = cursor.fetchone()
    return bool(row and row[0])


class Sequencer:
    """Numbers committed rows. Any number of processes may have one: who holds the lock numbers, the others stand by.

    With SQLite rows have their number from their insert, and there is nothing to do.

    Args:
        clock: tells when the next step is due.
        batch: most rows of one transaction.
        interval_s: how often the database is asked for new rows; where there are none, less and less often, down to
            once in `longest_s`.
        wake_interval_s: how often readers are woken at most; the last rows are always announced.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        batch: int = 2000,
        interval_s: float = 0.02,
        longest_s: float = 0.2,
        wake_interval_s: float = 0.05,
    ) -> None:
        self._clock = clock
        self._batch = batch
        self._interval_s = self._pause_s = interval_s
        self._longest_s = longest_s
        self._wake_interval_s = wake_interval_s
        self._due = 0.0
        self._wake_due = 0.0
        self._to_announce = False

    def step(self) -> bool:
        """Number one batch, when it is time. Returns whether there may be more to number at once.

        Raises:
            OperationalError: the database failed; nothing was numbered, and the next step does it.
        """
        now = self._clock.monotonic()
        if connection.vendor != "postgresql" or now < self._due:
            return False
        numbered = self._number(now)
        if numbered is None:
            self._due = now + _STAND_BY_S
        elif numbered < self._batch:
            quiet = not (numbered or self._to_announce)
            self._pause_s = min(self._pause_s * 1.5, self._longest_s) if quiet else self._interval_s
            self._due = now + self._pause_s
        return numbered == self._batch

    def drain(self) -> None:
        """Number all rows that are committed now, e.g. before the process ends; another one that does so is enough."""
        if connection.vendor == "postgresql":
            while self._number(self._clock.monotonic()) == self._batch:
                pass

    def _number(self, now: float) -> int | None:
        """Number one batch; None where another process has the lock."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TAKE_LOCK, [LOCK])
            row = cursor.fetchone()
            if row is None or not row[0]:
                return None
            # A statement of its own: its snapshot, taken with the lock held, has every number that was given out.
            cursor.execute(_NUMBER, [self._batch])
            numbered = int(cursor.rowcount)
            announce = (numbered or self._to_announce) and now >= self._wake_due
            if announce:
                cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        if announce:
            self._wake_due = now + self._wake_interval_s
        self._to_announce = bool(numbered or self._to_announce) and not announce
        return numbered
