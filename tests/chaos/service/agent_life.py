"""One agent as a process, in one life after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from testbed_process import Ended, TestbedProcess

ROLES: Final = ("daq", "data", "fastmon", "fast_processing", "worker", "watcher")

PATIENCE_S: Final = 4 * 3600.0
"""A process that nobody has ended until then is ended, and the test fails."""


@dataclass(slots=True, kw_only=True)
class AgentLife:
    """The process of one role, which can be ended and started again. What its lives were is kept.

    Args:
        role: as the command line calls it.
        root: the data directory.
        folder: where its standard output and error go.
        environment: where the servers are.
    """

    role: str
    root: Path
    folder: Path
    environment: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    lives: list[Ended] = field(default_factory=list)
    _process: TestbedProcess | None = None

    def start(self, *, kill_at: str = "", boundaries: Path | None = None) -> None:
        """A new life; `kill_at` ends it at a passage of an effect boundary, `boundaries` is where it writes at its end
        which ones it reached."""
        assert self._process is None, f"{self.role} lives already"
        fault = [*(("--kill-at", kill_at) if kill_at else ())]
        fault += [*(("--boundaries", str(boundaries)) if boundaries else ())]
        self._process = TestbedProcess(
            ["agents", "run", self.role, "--data-dir", str(self.root), "--json", *self.arguments, *fault],
            self.folder,
            environment=self.environment,
            patience_s=PATIENCE_S,
        )

    @property
    def lives_now(self) -> bool:
        """Whether it was started and its end was not taken in yet."""
        return self._process is not None

    def signal(self, name: str) -> None:
        """Send it a signal: `KILL`, `TERM`, `STOP`, `CONT`."""
        assert self._process is not None, f"{self.role} does not live"
        self._process.signal(name)

    def wait(self) -> Ended:
        """Wait for the end of this life."""
        assert self._process is not None, f"{self.role} does not live"
        process, ended = self._process, self._process.wait()
        process.__exit__()
        self._process = None
        self.lives.append(ended)
        return ended

    def kill(self) -> Ended:
        """SIGKILL, and wait until it and its payloads have gone."""
        self.signal("KILL")
        return self.wait()

    def restart(self) -> None:
        """SIGKILL, and a new life."""
        self.kill()
        self.start()

    def leave(self) -> Ended | None:
        """SIGTERM, and wait; None where it does not live."""
        if self._process is None:
            return None
        self.signal("TERM")
        return self.wait()

    def abandon(self) -> None:
        """Whatever goes on, nothing is left of it."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.__exit__()
            self._process = None
