"""Instants and clocks. Every instant in the system is aware and in UTC."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
"""Instants before this one are refused at the edge: no data of these instruments is older."""

FUTURE_TOLERANCE = timedelta(days=1)
"""How far ahead of this host's clock a peer's clock may be before its instants are refused."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)


class Clock(Protocol):
    """What tells the time. Injected, so that tests decide it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps; only differences have a meaning."""
        ...


class SystemClock:
    """The host's clocks."""

    def now(self) -> datetime:
        return datetime.now(tz=UTC)  # noqa: TID251 - the one place that reads the wall clock

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to; for tests and replays."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks ahead by `seconds`."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def leap(self, seconds: float) -> None:
        """Set the wall clock ahead (or back) by `seconds`, as somebody does who corrects it: no time passes."""
        self._now += timedelta(seconds=seconds)


class Interval:
    """When something is due that is done once in so many seconds: at once, and then again and again."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._due = 0.0

    def is_over(self) -> bool:
        """Whether it is due now; if so, the next interval begins."""
        now = self._clock.monotonic()
        if now < self._due:
            return False
        self._due = now + self._seconds
        return True


def rfc3339(instant: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with microseconds, e.g. `2026-01-31T12:00:00.000000Z`.

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError(f"the instant {instant.isoformat()} has no time zone")
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 instant, e.g. `2026-01-31T12:00:00.5+01:00`; the offset is required.

    Raises:
        ValueError: the text is not an instant, has no offset, or lies beyond what a clock can show.
    """
    if not _RFC3339.match(text):
        raise ValueError(f"{text[:40]!r} is not an RFC 3339 instant with an offset; write it in UTC with a trailing Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"the instant {text!r} is beyond the calendar in UTC") from None


def plausible(instant: datetime, now: datetime) -> bool:
    """Whether an instant that a peer sent can be true, given this host's present instant."""
    return EARLIEST <= instant <= now + FUTURE_TOLERANCE
