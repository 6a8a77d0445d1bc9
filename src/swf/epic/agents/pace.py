"""How far ahead a worker takes slices."""

from __future__ import annotations

from swf.core.times import Clock

AHEAD_S = 0.25
"""Slices are taken this many seconds ahead at most, at the rate at which they were finished lately."""

MOST_AHEAD = 400


class Pace:
    """Measures the rate at which slices finish.

    With slow payloads a worker takes no more than it has processes for, so that waiting slices stay with everybody;
    with fast ones it takes enough to bridge its next look at the queue.
    """

    def __init__(self, clock: Clock, slots: int) -> None:
        self._clock = clock
        self._slots = slots
        self._rate = 0.0
        self._since = clock.monotonic()
        self._finished = 0

    def done(self, number: int) -> None:
        """So many have finished now."""
        self._finished += number
        elapsed = self._clock.monotonic() - self._since
        if elapsed >= AHEAD_S / 2:
            self._rate = (self._rate + self._finished / elapsed) / 2
            self._since, self._finished = self._clock.monotonic(), 0

    def wanted(self) -> int:
        """How many slices the worker should hold at present."""
        return self._slots + min(MOST_AHEAD, int(self._rate * AHEAD_S))
