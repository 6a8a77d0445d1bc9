"""Effect boundaries: the places between two effects where a process may die. Fault tests end it at each of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

Boundary = Callable[[str], None]
"""Called with the name of the boundary that has just been reached."""


def no_boundary(name: str) -> None:
    """Nothing happens at a boundary: the ordinary case."""


class BoundaryLog:
    """Counts the boundaries that a process reaches, and kills it at a chosen one.

    `kill_at` is `name:count`: the process is ended by SIGKILL when it reaches that boundary for the `count`-th time.
    """

    def __init__(self, kill_at: str = "") -> None:
        name, _, count = kill_at.rpartition(":")
        self._name, self._count = name, int(count) if count else 0
        self.reached: dict[str, int] = {}

    def __call__(self, name: str) -> None:
        self.reached[name] = self.reached.get(name, 0) + 1
        if name == self._name and self.reached[name] == self._count:
            os.kill(os.getpid(), signal.SIGKILL)


def prefixed(prefix: str, boundary: Boundary) -> Boundary:
    """The same boundaries under names that begin with `prefix`."""
    return lambda name: boundary(f"{prefix}.{name}")
