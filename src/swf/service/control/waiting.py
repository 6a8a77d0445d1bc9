"""Waiting for what tells nobody when it is done: a server that starts, a process that ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from swf.core.times import Clock

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 0.5


class Tell(Protocol):
    """Takes what a person who waits is told: one line."""

    def __call__(self, text: str, /) -> object: ...


def wait_until(look: Callable[[], bool], patience_s: float, clock: Clock) -> bool:
    """Look again and again, at longer intervals up to half a second, until it is so. Returns whether it came to be."""
    deadline = clock.monotonic() + patience_s
    pause = _FIRST_PAUSE_S
    while not look():
        if clock.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)
    return True
