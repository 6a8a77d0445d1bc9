"""How far ahead a worker takes slices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

AHEAD_S: Final = 0.25
"""Slices are taken so many seconds of work ahead at most, by what the payloads took lately."""

MOST_AHEAD: Final = 400


class Pace:
    """Follows how long payloads take.

    With slow payloads a worker takes no more than it has processes for, so that waiting slices stay with everybody;
    with fast ones it takes enough to bridge its next look at the queue. How often it looks is left out: a worker that
    is held up, by its machine or its database, would take less and less, and look the more often for each slice.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._seconds = math.inf

    def done(self, seconds: Sequence[float]) -> None:
        """Payloads that succeeded took so long, each."""
        if seconds:
            mean = sum(seconds) / len(seconds)
            self._seconds = mean if math.isinf(self._seconds) else (self._seconds + mean) / 2

    def wanted(self) -> int:
        """How many slices the worker should hold at present."""
        work = AHEAD_S * self._slots
        return self._slots + (MOST_AHEAD if self._seconds * MOST_AHEAD <= work else int(work / self._seconds))
