"""Runs one command, signals it as told, and answers for everything that it leaves behind.

A script with the standard library alone: `python -I -S guardian.py PLAN`, PLAN being JSON. As a subreaper it becomes
the parent of every descendant that lost its own, so it knows, without looking at names, when the last one has gone.

From standard input: lines with the name of a signal for the command (`KILL`, `INT`, ...). When that closes, whoever
asked has gone, and everything is ended. To standard output: one JSON object at the end.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


class Guardian:
    """One command, from its start until nothing is left of it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._deadline_s = float(plan["deadline_s"])
        self._grace_s = float(plan["grace_s"])
        self._timed = sorted((float(after), str(name)) for after, name in plan["signals"])
        self._began = time.monotonic()
        with open(plan["stdout"], "wb") as out, open(plan["stderr"], "wb") as err:  # noqa: PTH123 - may be a pipe's name
            self._process = subprocess.Popen(
                plan["command"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=plan["folder"],
                env=plan["environment"],
                start_new_session=True,
            )
        self._status: int | None = None
        self._ended = 0.0
        self._orphans = 0

    def serve(self) -> dict[str, Any]:
        """Watch until the last process has gone; what is left after the grace is named, and killed."""
        left: list[str] = []
        overdue = False
        with selectors.DefaultSelector() as selector:
            bell, ringer = os.pipe()
            os.set_blocking(bell, False)
            os.set_blocking(ringer, False)
            signal.set_wakeup_fd(ringer, warn_on_full_buffer=False)
            signal.signal(signal.SIGCHLD, _only_wake)
            selector.register(bell, selectors.EVENT_READ)
            selector.register(sys.stdin, selectors.EVENT_READ)
            while not self._reap():
                now = time.monotonic() - self._began
                while self._timed and now >= self._timed[0][0]:
                    self._signal(self._timed.pop(0)[1])
                if self._status is None and now >= self._deadline_s and not overdue:
                    overdue = True
                    self._signal("KILL")
                if self._status is not None and now >= self._ended + self._grace_s:
                    left += [name for name in _names(_children(os.getpid())) if name not in left]
                    _kill_all()
                keys = {key.fileobj for key, _ in selector.select(self._wait(now))}
                if bell in keys:
                    with contextlib.suppress(BlockingIOError):
                        os.read(bell, 4096)
                if sys.stdin in keys:
                    self._hear()
        return {
            "status": self._status,
            "seconds": round(self._ended, 3),
            "orphans": self._orphans,
            "left": left,
            "overdue": overdue,
        }

    def _wait(self, now: float) -> float:
        until = [0.05 + now] if self._status is not None and now >= self._ended + self._grace_s else []
        until.append(self._ended + self._grace_s if self._status is not None else self._deadline_s)
        until += [after for after, _ in self._timed[:1]]
        return max(0.0, min(until) - now)

    def _reap(self) -> bool:
        """Take in who has ended; whether nobody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self._process.pid:
                self._status = os.waitstatus_to_exitcode(status)
                self._ended = time.monotonic() - self._began
                self._process.returncode = self._status
            elif self._status is not None:
                self._orphans += 1

    def _hear(self) -> None:
        heard = os.read(0, 4096)
        for name in heard.decode().split():
            self._signal(name)
        if not heard:
            self._timed.clear()
            _kill_all()
            raise SystemExit(1)

    def _signal(self, name: str) -> None:
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.Signals[f"SIG{name}"])


def _only_wake(number: int, frame: object) -> None:
    """The signal's number goes to the wake-up descriptor: nothing else is to do."""


def _children(pid: int) -> list[int]:
    try:
        direct = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [each for child in direct for each in (child, *_children(child))]


def _names(pids: list[int]) -> list[str]:
    names = []
    for pid in pids:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            names.append(f"{pid}: {words.strip()[:200]}")
    return names


def _kill_all() -> None:
    for pid in _children(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Argument: the plan."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    result = Guardian(json.loads(sys.argv[1])).serve()
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
