"""Ending a process at an effect boundary, for fault tests."""

from __future__ import annotations

import os
import signal


class BoundaryLog:
    """A `swf.core.effects.Boundary`: counts the boundaries that a process reaches, and kills it at a chosen one.

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
