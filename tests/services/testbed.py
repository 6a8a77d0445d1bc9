"""The command line as a person uses it, on a data directory in service mode."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.activemq import pause
from swf.core.times import SystemClock
from swf.service.control.local_servers import missing
from swf.service.control.orphans import find_orphans
from swf.service.control.place import ControlPlace

NEEDED: Final = "needs PostgreSQL, ActiveMQ and supervisor (make test APT=1)"

_COMMAND_S: Final = 240.0
_PATIENCE_S: Final = 120.0
_FOREIGN: Final = ("SWF_", "ACTIVEMQ_", "PG", "SUPERVISOR_")


def installed() -> bool:
    """Whether `testbed up` can be tried here."""
    return not missing()


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a shell sees of a command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)


class ServiceTestbed:
    """Commands on one data directory."""

    def __init__(self, data_dir: Path, variables: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        plain = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self._environment = {**plain, **(variables or {})}

    def __call__(self, *arguments: str) -> Ended:
        """Run a command, as `testbed ARGUMENTS --data-dir ...`."""
        done = subprocess.run(
            [sys.executable, "-m", "swf.cli", *arguments, "--data-dir", str(self.data_dir)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            cwd=tempfile.gettempdir(),
            env=self._environment,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command, whose standard error can be read line by line."""
        return subprocess.Popen(
            [sys.executable, "-m", "swf.cli", *arguments, "--data-dir", str(self.data_dir)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tempfile.gettempdir(),
            env=self._environment,
        )

    def must(self, *arguments: str) -> Ended:
        """Run a command that has to succeed."""
        ended = self(*arguments)
        assert ended.code == 0, f"{arguments}: {ended.code}\n{ended.out}\n{ended.err}"
        return ended

    def agents(self) -> dict[str, dict[str, Any]]:
        """The agents, by role."""
        return {agent["role"]: agent for agent in self.must("agents", "list", "--json").json["agents"]}

    def supervisord(self) -> int:
        """Its pid, as it has written it down."""
        return int((self.data_dir / "supervisor" / "supervisord.pid").read_text())

    def processes(self) -> list[int]:
        """Everything that its supervisord has started and still runs."""
        return [each.pid for each in find_orphans(ControlPlace(root=self.data_dir).socket())]


@contextmanager
def service_testbed(name: str, variables: Mapping[str, str] | None = None) -> Iterator[ServiceTestbed]:
    """Commands on a new data directory, which goes at the end with all that runs there.

    It does not lie in pytest's folder: that is closed to other users, and PostgreSQL runs as another one under root.
    """
    folder = Path(tempfile.mkdtemp(prefix="swf-up-"))
    folder.chmod(0o755)
    testbed = ServiceTestbed(folder / name, variables)
    try:
        yield testbed
    finally:
        service = testbed.data_dir / "service.toml"
        local = service.is_file() and 'by = "start-local"' in service.read_text()
        testbed.must("stop-local" if local else "down")
        left = testbed.processes()
        shutil.rmtree(folder, ignore_errors=True)
        assert not left, left


def eventually(look: Callable[[], bool]) -> None:
    """Wait until it is so.

    Raises:
        AssertionError: it does not come to be.
    """
    clock = SystemClock()
    deadline = clock.monotonic() + _PATIENCE_S
    while not look():
        assert clock.monotonic() < deadline, "it did not come to be"
        pause(0.2)
