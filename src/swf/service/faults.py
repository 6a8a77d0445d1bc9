"""Ending a process at an effect boundary, for fault tests."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from swf.core.errors import ConfigError


class BoundaryLog:
    """A `swf.core.effects.Boundary`: counts the boundaries that a process reaches, and kills it at a chosen one.

    `kill_at` is `name:count`: the process is ended by SIGKILL when it reaches that boundary for the `count`-th time.

    Raises:
        ConfigError: `kill_at` is not of that form.
    """

    def __init__(self, kill_at: str = "") -> None:
        name, _, count = kill_at.rpartition(":")
        if kill_at and not (name and count.isdigit()):
            raise ConfigError(f"flag --kill-at {kill_at}: expected NAME:N")
        self._name, self._count = name, int(count or 0)
        self.reached: dict[str, int] = {}

    def __call__(self, name: str) -> None:
        self.reached[name] = self.reached.get(name, 0) + 1
        if name == self._name and self.reached[name] == self._count:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, path: Path | None) -> None:
        """Write how often each boundary was reached, where a file is asked for."""
        if path is not None:
            path.write_text(json.dumps(self.reached, indent=1), encoding="utf-8")
