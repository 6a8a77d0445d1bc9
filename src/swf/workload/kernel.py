"""What the kernel offers to keep hold of a process and of all that it starts: on Linux; elsewhere little of it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

LINUX: Final = sys.platform == "linux"

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_PR_SET_CHILD_SUBREAPER: Final = 36
_FALLOC_FL_KEEP_SIZE: Final = 1  # fallocate(2)
_FALLOC_FL_PUNCH_HOLE: Final = 2
_HELD: Final = (b"RssAnon:", b"RssShmem:", b"VmSwap:")


def process_control() -> Callable[[int, int], None]:
    """prctl(2) as `control(option, value)`; loads the C library, so call it before a fork. Elsewhere a no-op."""
    if not LINUX:
        return lambda _option, _value: None
    library = ctypes.CDLL(None, use_errno=True)

    def control(option: int, value: int) -> None:
        if library.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")

    return control


def die_with_parent(control: Callable[[int, int], None], signum: signal.Signals) -> None:
    """Get `signum` when the thread that started this process ends, however it ends."""
    control(_PR_SET_PDEATHSIG, signum)


def adopt_orphans(control: Callable[[int, int], None]) -> None:
    """Become the parent of every descendant whose own parent ends, so that none can slip away."""
    control(_PR_SET_CHILD_SUBREAPER, 1)


def offer_to_oom_killer() -> None:
    """Let the kernel, out of memory, choose this process and its children before those that started it.

    Where a container forbids that, it does nothing.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def start_dropper() -> Callable[[int, int], None]:
    """`drop(fd, length)`: give back the disk space of about the first `length` bytes of an open file; no position in it
    changes, and what is appended meanwhile is safe. Where the system or the file system cannot do that, all of the
    file's content is dropped. Source: fallocate(2)."""
    library = ctypes.CDLL(None, use_errno=True) if LINUX else None

    def drop(fd: int, length: int) -> None:
        mode = _FALLOC_FL_KEEP_SIZE | _FALLOC_FL_PUNCH_HOLE
        if library is None or library.fallocate(fd, mode, ctypes.c_int64(0), ctypes.c_int64(length)) != 0:
            os.ftruncate(fd, 0)

    return drop


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`, ended ones that nobody waited for included. Linux only."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - looked at often
            found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    except (FileNotFoundError, ProcessLookupError):
        return found
    return found


def descendants(pid: int) -> list[int]:
    """The children of `pid`, theirs, and so on. Linux only; elsewhere none are found."""
    if not LINUX:
        return []
    found = children(pid)
    for process in found:
        found += children(process)
    return found


def held_bytes(pid: int) -> int:
    """The memory that only the end of `pid` gives back: its anonymous, shared-memory and swapped pages, without mapped
    files. 0 when it is gone. Source: proc_pid_status(5)."""
    try:
        status = _read(f"/proc/{pid}/status")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 1024 * sum(int(line.split()[1]) for line in status.splitlines() if line.startswith(_HELD))


def oom_kills() -> int:
    """How many processes the kernel killed for memory on this host since it started; 0 where it does not say."""
    try:
        lines = _read("/proc/vmstat").splitlines()
    except FileNotFoundError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(b"oom_kill ")), 0)


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - looked at often
        return file.read()
