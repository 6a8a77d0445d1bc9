"""Processes that a killed supervisord left behind: they run on, and nobody restarts or stops them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MARK: Final = b"SUPERVISOR_SERVER_URL="
_NAME: Final = b"SUPERVISOR_PROCESS_NAME="


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A process that a supervisord of this socket has started, or a child of one."""

    pid: int
    parent: int
    name: str
    """Of its program."""


def find_orphans(socket: Path, proc: Path = Path("/proc")) -> list[Orphan]:
    """The processes that bear the mark of the supervisord at this socket; to be asked when that does not run."""
    mark = _MARK + b"unix://" + os.fsencode(socket)
    found = []
    for folder in proc.iterdir():
        # Processes come and go while one looks, and those of other users are not to be read.
        with suppress(OSError, ValueError, IndexError):
            pid = int(folder.name)
            variables = (folder / "environ").read_bytes().split(b"\0")
            if mark in variables:
                name = next((v.removeprefix(_NAME) for v in variables if v.startswith(_NAME)), b"?")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                found.append(Orphan(pid=pid, parent=parent, name=name.decode(errors="replace")))
    ours = _line_of(os.getpid(), proc)
    return sorted((orphan for orphan in found if orphan.pid not in ours), key=lambda orphan: orphan.pid)


def heads(orphans: Sequence[Orphan]) -> list[Orphan]:
    """Those that are not children of others among them: they end their children in good order."""
    pids = {orphan.pid for orphan in orphans}
    return [orphan for orphan in orphans if orphan.parent not in pids]


def send(orphans: Iterable[Orphan], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for orphan in orphans:
        with suppress(ProcessLookupError):
            os.kill(orphan.pid, number)


def runs(pid: int, proc: Path = Path("/proc")) -> bool:
    """Whether there is such a process, which has not ended."""
    try:
        state = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def _line_of(pid: int, proc: Path) -> set[int]:
    """A process and those that it comes from."""
    line = set()
    while pid > 0 and pid not in line:
        line.add(pid)
        try:
            pid = int((proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    return line
