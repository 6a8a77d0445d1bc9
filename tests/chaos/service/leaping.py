"""A host's clock that is set by an hour while agents work."""

from __future__ import annotations

from datetime import datetime, timedelta

from swf.core.times import SystemClock


class LeapingClock:
    """The host's clocks, of which the wall clock can be set ahead or back."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._real.now() + self._ahead

    def monotonic(self) -> float:
        return self._real.monotonic()

    def leap(self, by: timedelta) -> None:
        """Set it."""
        self._ahead += by
