"""Agents as processes of their own, each as a person would start it: `testbed agents run ROLE`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from benchmarks.execution import WITHOUT_CONTENT
from benchmarks.figures import WrongRunError

if TYPE_CHECKING:
    from benchmarks.servers import Served

NAMESPACE: Final = "testbed"

_START_S, _STOP_S = 120.0, 60.0
_TAIL = 500
_FOREIGN: Final = ("SWF_", "ACTIVEMQ_", "PG", "SUPERVISOR_")


class Agents:
    """Starts agents and ends them; those that are left end with the block."""

    def __init__(self, served: Served, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)},
            **_environment(served),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(*self._running, must=kind is None)

    @property
    def pids(self) -> Mapping[str, int]:
        """The processes, by name."""
        return {name: process.pid for name, process in self._running.items()}

    def start(self, *names: str) -> None:
        """Start agents, each named after its role and, where there are several, a number: `daq 2`; and wait until all
        of them are ready.

        Raises:
            WrongRunError: one is not.
        """
        for name in names:
            self._start(name)
        deadline = time.monotonic() + _START_S
        while len(self._running) > _ready():
            ended = [name for name, process in self._running.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                said = "; ".join(f"{name}: {self._said(name)}" for name in ended or names)
                raise WrongRunError(f"agents were not ready: {said}")
            time.sleep(0.05)

    def end(self, *names: str, must: bool = True) -> None:
        """End agents in good order.

        Raises:
            WrongRunError: one ended otherwise.
        """
        ending = {name: self._running.pop(name) for name in names}
        for process in ending.values():
            process.terminate()
        for name, process in ending.items():
            try:
                code = process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if must and code:
                raise WrongRunError(f"{name} ended with {code}: {self._said(name)}")

    def _start(self, name: str) -> None:
        settings = [part for key, value in WITHOUT_CONTENT.items() for part in ("--set", f"{key}={value}")]
        role = name.partition(" ")[0]
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "swf.cli", "agents", "run", role, "--data-dir", str(self._data_dir), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data_dir,
                env=self._environment,
            )

    def _said(self, name: str) -> str:
        """The end of what an agent has said, in one line."""
        return " | ".join(self._log(name).read_text(errors="replace")[-_TAIL:].splitlines())

    def _log(self, name: str) -> Path:
        return self._data_dir / f"{name.replace(' ', '-')}.said"


def _ready() -> int:
    from swf.core.times import SystemClock
    from swf.service.identity import is_alive
    from swf.store.models import SystemAgent

    now = SystemClock().now()
    return sum(is_alive(row, now) for row in SystemAgent.objects.filter(operational_state=SystemAgent.State.READY))


def _environment(served: Served) -> dict[str, str]:
    bus, database = served.bus, served.database
    assert database.password is not None
    return {
        "SWF_MODE": "service",
        "SWF_NAMESPACE": NAMESPACE,
        "ACTIVEMQ_HOST": bus.host,
        "ACTIVEMQ_PORT": str(bus.port),
        "ACTIVEMQ_USER": bus.user,
        "ACTIVEMQ_PASSWORD": bus.password.get_secret_value(),
        "SWF_DATABASE_HOST": database.host,
        "SWF_DATABASE_PORT": str(database.port),
        "SWF_DATABASE_NAME": database.name,
        "SWF_DATABASE_USER": database.user,
        "SWF_DATABASE_PASSWORD": database.password.get_secret_value(),
    }
