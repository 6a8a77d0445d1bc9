"""Instants and clocks. Every instant in the system is aware and in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
"""Instants before this one are refused at the edge: no data of these instruments is older."""

FUTURE_TOLERANCE = timedelta(days=1)
"""How far ahead of this host's clock a peer's clock may be before its instants are refused."""


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


def rfc3339(instant: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with microseconds, e.g. `2026-01-31T12:00:00.000000Z`.

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError(f"the instant {instant.isoformat()} has no time zone")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 instant; the offset is required.

    Raises:
        ValueError: the text is not an instant, or has no offset.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"the instant {text!r} has no time zone; write it in UTC with a trailing Z")
    return instant.astimezone(UTC)


def plausible(instant: datetime, now: datetime) -> bool:
    """Whether an instant that a peer sent can be true, given this host's present instant."""
    return EARLIEST <= instant <= now + FUTURE_TOLERANCE
