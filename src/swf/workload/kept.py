"""The starter's side of a keeper."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swf.workload.channel import Channel

_LOG = "keeper.log"


class Kept:
    """A keeper that was started, and the channel to it.

    `folder` belongs to it and is emptied first. Start it from a thread that lives as long as it shall: on Linux the end
    of that thread ends it. See `swf.workload.keeper` for what it does.

    Raises:
        OSError: it cannot be started: the folder cannot be written, or this host is out of processes or memory.
    """

    def __init__(self, folder: Path, memory_mb: int, environment: Mapping[str, str]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        ours, its = socket.socketpair()
        try:
            with its, (folder / _LOG).open("wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "swf.workload.keeper", str(its.fileno()), str(folder), str(memory_mb)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    env=dict(environment),
                    pass_fds=(its.fileno(),),
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            raise
        self.channel = Channel(ours)

    def run(self, arguments: list[str], channel: socket.socket | None = None) -> bool:
        """Have it run a payload; with `channel`, the payload gets that socket, and its descriptor as last argument.

        False if that could not be said.
        """
        message: list[object] = ["run", arguments, channel is not None]
        return self.channel.send(message, channel.fileno() if channel is not None else None)

    def stop(self, grace_s: float) -> None:
        """Have it end the payload: politely, and after `grace_s` seconds with all that it started."""
        self.channel.send(["stop", grace_s])

    def exit(self, grace_s: float) -> None:
        """Have it do so and then end itself."""
        self.channel.send(["exit", grace_s])

    def receive(self) -> list[list[Any]]:
        """What it said since the last call."""
        return self.channel.receive()

    def kill(self) -> None:
        """End it now, and its payload with it. For one that does not answer."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    def close(self) -> str:
        """Wait for the end of one that is ending; what it printed to its log, which is nothing if all went well."""
        self.channel.close()
        self._process.wait()
        try:
            return (self.folder / _LOG).read_text(errors="replace")[-500:].strip()
        except OSError:
            return ""
