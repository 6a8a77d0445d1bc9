"""The program under test as a real process, under a guardian that signals it and knows what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

GUARDIAN: Final = Path(__file__).with_name("guardian.py")
HERE: Final = GUARDIAN.parent

PATIENCE_S: Final = 180.0
"""A process that takes longer than this is ended, and the test fails. No test waits for it to pass."""

GRACE_S: Final = 20.0
"""How long descendants of a process that has ended may take to end as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended. `code` is negative for a signal; `orphans` counts the descendants that ended after it, and
    `left` names those that had to be killed."""

    code: int
    seconds: float
    orphans: int
    left: tuple[str, ...]
    overdue: bool
    stdout: str
    stderr: str

    def told(self) -> dict[str, Any]:
        """The JSON object that it wrote to standard output."""
        lines = self.stdout.strip().splitlines()
        if not lines:
            raise AssertionError(f"nothing was written to standard output; standard error: {self.stderr[-2000:]}")
        value = json.loads(lines[-1])
        assert isinstance(value, dict)
        return value


class TestbedProcess:
    """`testbed ARGUMENTS` in a process group of its own.

    `signals` are (seconds after the start, name). `stderr` may be the path of a pipe that the caller reads.
    `patience_s` is for a process that goes on until it is told to end.
    """

    __test__ = False

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        *,
        signals: Sequence[tuple[float, str]] = (),
        environment: Mapping[str, str] | None = None,
        stderr: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("*.stdout")))
        self._stdout = folder / f"{number}.stdout"
        self._stdout.touch()  # taken: the next process has another number
        self._stderr = folder / f"{number}.stderr"
        self._read_stderr = stderr is None
        if stderr is None:
            self._stderr.touch()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SWF_")}
        path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        plan = {
            "command": [sys.executable, "-c", "from swf.cli.main import main; main()", *arguments],
            "folder": str(folder),
            "environment": {**inherited, "PYTHONPATH": path, **(environment or {})},
            "stdout": str(self._stdout),
            "stderr": str(stderr or self._stderr),
            "signals": list(signals),
            "deadline_s": patience_s,
            "grace_s": GRACE_S,
        }
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARDIAN), json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # What ends the test and its group is no reason to leave the command behind.
            start_new_session=True,
        )

    @property
    def errors(self) -> Path:
        """Where its standard error goes, as long as it is no pipe of the caller's."""
        return self._stderr

    @property
    def has_ended(self) -> bool:
        """Whether it has gone, with all that it started."""
        return self._guardian.poll() is not None

    def signal(self, name: str) -> None:
        """Send it a signal now: `KILL`, `INT`, `TERM`. Nothing happens to one that has ended."""
        assert self._guardian.stdin is not None
        with suppress(BrokenPipeError):
            self._guardian.stdin.write(f"{name}\n")
            self._guardian.stdin.flush()

    def wait(self) -> Ended:
        """Wait until it and all that it started have gone."""
        assert self._guardian.stdout is not None
        assert self._guardian.stdin is not None
        said = self._guardian.stdout.read()
        self._guardian.stdin.close()
        self._guardian.stdout.close()
        if self._guardian.wait() != 0:
            raise AssertionError(f"the guardian failed: {said}")
        result = json.loads(said)
        return Ended(
            code=result["status"],
            seconds=result["seconds"],
            orphans=result["orphans"],
            left=tuple(result["left"]),
            overdue=result["overdue"],
            stdout=self._stdout.read_text(),
            stderr=self._stderr.read_text() if self._read_stderr else "",
        )

    def __enter__(self) -> TestbedProcess:
        return self

    def __exit__(self, *error: object) -> None:
        """Whatever went wrong, nothing is left."""
        assert self._guardian.stdin is not None
        self._guardian.stdin.close()
        self._guardian.wait()
        if self._guardian.stdout is not None:
            self._guardian.stdout.close()
