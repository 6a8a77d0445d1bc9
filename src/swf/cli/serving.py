"""The monitor beside a run: in a process of its own, which ends with this one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

from swf.cli.exit_codes import ExitCode
from swf.cli.interrupts import Interrupts
from swf.cli.output import say
from swf.cli.session import workspace_of
from swf.core.errors import BusyError, ServiceError

USUAL_PORT: Final = 8080
_END_S: Final = 15.0
"""How long it is waited for at its end: it answers what is under way."""
_LOOK_S: Final = 0.5


class MonitorBeside:
    """The monitor of a data directory, while this process runs agents there.

    Args:
        data_dir: the data directory.
        port: where it listens; None: the usual port, or any that is free where that one is taken.
    """

    def __init__(self, data_dir: Path, port: int | None) -> None:
        self._data_dir = data_dir
        self._port = port
        self._said = workspace_of(data_dir).logs / "monitor-output.log"
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, wait until it serves, and tell where it is, with a link to log in. The store is there already.

        Raises:
            BusyError: the port is taken.
            ServiceError: it does not start.
        """
        with self._said.open("w", encoding="utf-8") as errors:
            self._child = self._begun(errors)
        # One line, once it serves; none where it cannot.
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line or "error" in (first := json.loads(line)):
            code = self._child.wait()
            said = self._said.read_text(encoding="utf-8").strip() or "it said nothing"
            kind = BusyError if code == ExitCode.BUSY else ServiceError
            raise kind(
                f"the monitor does not start, so the run is not started either: {said.removeprefix('testbed: ')}"
            )
        say(f"the monitor is at {first['url']}; log in with this link, once and from this machine:")
        say(str(first["login_link"]))

    def serve_on(self) -> None:
        """Let it serve until Ctrl-C.

        Raises:
            ServiceError: it ends by itself.
        """
        assert self._child is not None
        say("the monitor serves on; Ctrl-C ends it")
        with Interrupts().caught() as interrupts:
            while not interrupts.asked():
                try:
                    code = self._child.wait(_LOOK_S)
                except subprocess.TimeoutExpired:
                    continue
                raise ServiceError(f"the monitor has ended by itself, with code {code}; see {self._said}")

    def end(self) -> None:
        """End it in good order."""
        if self._child is None:
            return
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        assert self._child.stdout is not None
        self._child.stdout.close()

    def _begun(self, errors: IO[str]) -> subprocess.Popen[str]:
        """The process. It reads from this one until that ends, however that is; and a Ctrl-C of the terminal, which is
        this process's to answer, does not reach it."""
        port = self._port if self._port is not None else _usual_or_free()
        command = [sys.executable, "-m", "swf.cli", "monitor", "serve", "--port", str(port), "--data-dir"]
        return subprocess.Popen(
            [
                *command,
                str(self._data_dir.absolute()),
                "--mode",
                "embedded",
                "--login-link",
                "--json",
                "--end-with-stdin",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )


def _usual_or_free() -> int:
    from swf.service.control.local_servers import is_free

    return USUAL_PORT if is_free(USUAL_PORT) else 0
