"""The keeper: a small process that runs one payload after the other and answers for all of their descendants.

The process that wants payloads starts one keeper per payload that may run at once and talks to it over a socket pair.
The keeper has one thread and runs no code but this, so it may fork. It starts each payload in a session of its own,
watches its memory, ends it when told to, and tells how it ended only when nothing that it started is left.

When the socket closes, which the kernel does for a starter that was killed, the keeper ends the payload and all its
descendants, then itself. On Linux it gets a signal as well, it adopts every descendant that lost its parent, and the
payload is killed when the keeper itself is. Elsewhere it ends the payload's process group, and no memory is watched.

To the keeper: `["run", [argument, ...], with_channel]` (a socket for the payload may come along), `["stop", grace_s]`,
`["exit", grace_s]`. From it: `["unstarted", reason]` or `["ended", exit_code, over_memory_mb, killed_for_memory]`.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from swf.workload import kernel

LOOK_S: Final = 0.05
"""How often a payload's memory and prints are looked at; by what it can take meanwhile it can exceed its limit."""

PRINTED_MAX: Final = 1_000_000
"""What a payload prints is kept in files; of one that takes more bytes of the disk than this, only the end is kept."""

PRINTED_KEPT: Final = 16_000
_KERNEL_LOOKS: Final = 20
_MEGABYTE: Final = 2**20
_ENDING_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


class Keeper:
    """Serves one starter, until its socket closes or it says `exit`.

    `folder` gets the files `stdout` and `stderr`, and `work`, the payload's working folder, emptied for each.
    """

    def __init__(self, control: socket.socket, folder: Path, memory_mb: int) -> None:
        self._control = control
        self._folder = folder
        self._memory_mb = memory_mb
        self._pending = b""
        self._fds: list[int] = []
        self._payload = 0
        self._exit_code: int | None = None
        self._over_mb = 0
        self._kill_at = float("inf")
        self._looks = 0
        self._oom_kills = 0
        self._exiting = False
        self._prctl = kernel.process_control()
        self._drop_start = kernel.start_dropper()

    def serve(self) -> None:
        """Work until there is nobody to work for."""
        kernel.adopt_orphans(self._prctl)
        signals, wakeup = socket.socketpair()
        with selectors.DefaultSelector() as selector, signals, wakeup:
            signals.setblocking(False)
            wakeup.setblocking(False)
            signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
            for signum in (signal.SIGCHLD, *_ENDING_SIGNALS):
                signal.signal(signum, _only_wake)
            kernel.die_with_parent(self._prctl, signal.SIGTERM)
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(signals, selectors.EVENT_READ)
            while not (self._exiting and not self._payload):
                ready = {key.fileobj for key, _ in selector.select(LOOK_S if self._payload else None)}
                came = signals.recv(4096) if signals in ready else b""
                if _ENDING_SIGNALS.intersection(came) or (self._control in ready and not self._hear()):
                    self._kill_all()
                    return
                self._look()

    def _hear(self) -> bool:
        """Do what came over the socket; False when it is closed."""
        data, fds, _flags, _address = socket.recv_fds(self._control, 65_536, 4)
        self._fds += fds
        if not data:
            return False
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            match json.loads(line):
                case ["run", list(arguments), bool(with_channel)]:
                    self._run(arguments, self._fds.pop(0) if with_channel else None)
                case ["stop", int() | float() as grace_s]:
                    self._stop(grace_s)
                case ["exit", int() | float() as grace_s]:
                    self._exiting = True
                    self._stop(grace_s)
        return True

    def _run(self, arguments: list[str], channel: int | None) -> None:
        self._exit_code, self._over_mb, self._kill_at, self._looks = None, 0, float("inf"), 0
        self._oom_kills = kernel.oom_kills()
        try:
            self._empty_work()
            problem = self._fork(arguments if channel is None else [*arguments, str(channel)], channel)
        except OSError as error:
            problem = str(error)
        finally:
            if channel is not None:
                os.close(channel)
        if problem:
            self._payload = 0
            self._say(["unstarted", problem])

    def _fork(self, arguments: list[str], channel: int | None) -> str:
        """Start a payload; why it could not be, or nothing."""
        reader, writer = os.pipe()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        printed = [os.open(self._folder / name, flags, 0o600) for name in ("stdout", "stderr")]
        keeper = os.getpid()
        self._payload = os.fork()
        if self._payload == 0:
            self._become(arguments, channel, printed, writer, keeper)
        for fd in (writer, *printed):
            os.close(fd)
        with open(reader, encoding="utf-8", errors="replace") as failure:  # noqa: PTH123 - a descriptor
            problem = failure.read()
        if problem:
            os.waitpid(self._payload, 0)
        return problem

    def _become(
        self, arguments: list[str], channel: int | None, printed: Sequence[int], writer: int, keeper: int
    ) -> NoReturn:
        """In the new process: turn into the payload, or say why not and end."""
        try:
            os.setsid()
            kernel.die_with_parent(self._prctl, signal.SIGKILL)
            if os.getppid() == keeper:
                kernel.offer_to_oom_killer()
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                for signum in (signal.SIGPIPE, signal.SIGXFSZ):  # the interpreter ignores these, a payload should not
                    signal.signal(signum, signal.SIG_DFL)
                nothing = os.open(os.devnull, os.O_RDONLY)
                for target, source in enumerate((nothing, *printed)):
                    os.dup2(source, target)
                if channel is not None:
                    os.set_inheritable(channel, True)
                os.chdir(self._folder / "work")
                os.execvp(arguments[0], arguments)  # an argument list from the configuration, no shell
        except (OSError, ValueError) as error:
            os.write(writer, f"{arguments[0]}: {getattr(error, 'strerror', None) or error}".encode())
        finally:
            os._exit(127)

    def _stop(self, grace_s: float) -> None:
        if self._payload:
            self._kill_at = time.monotonic() + grace_s
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._payload, signal.SIGTERM)

    def _look(self) -> None:
        """See whether the payload ended, has to be ended, or holds or prints too much."""
        self._reap()
        if not self._payload:
            return
        if self._exit_code is None and time.monotonic() < self._kill_at:
            self._looks += 1
            if kernel.LINUX:
                held = sum(map(kernel.held_bytes, kernel.descendants(os.getpid()))) // _MEGABYTE
                self._over_mb = held if held > self._memory_mb else 0
            for name in ("stdout", "stderr"):
                self._cut(self._folder / name)
            if not self._over_mb:
                if self._looks % _KERNEL_LOOKS == 0:
                    self._oom_kills = kernel.oom_kills()
                return
        self._kill_all()
        code = self._exit_code if self._exit_code is not None else 0
        killed = code in {-signal.SIGKILL, 128 + signal.SIGKILL} and kernel.oom_kills() > self._oom_kills
        self._payload = 0
        with contextlib.suppress(OSError):
            self._empty_work()
        self._say(["ended", code, self._over_mb, killed])

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (waited := os.waitpid(-1, os.WNOHANG))[0]:
                self._note(*waited)

    def _kill_all(self) -> None:
        """Kill what is left of the payload; returns when none of it is. Nothing that it forks meanwhile escapes."""
        with contextlib.suppress(ChildProcessError):
            while True:
                for process in kernel.descendants(os.getpid()):
                    _kill(process)
                if not kernel.LINUX and self._payload:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(self._payload, signal.SIGKILL)
                self._note(*os.waitpid(-1, 0))

    def _note(self, process: int, status: int) -> None:
        if process == self._payload:
            self._exit_code = os.waitstatus_to_exitcode(status)

    def _cut(self, printed: Path) -> None:
        """Give back the disk space of all but the end of a file that grew too large."""
        with contextlib.suppress(OSError):
            seen = printed.stat()
            if seen.st_blocks * 512 > PRINTED_MAX:
                with printed.open("r+b") as file:
                    self._drop_start(file.fileno(), seen.st_size - PRINTED_KEPT)

    def _empty_work(self) -> None:
        work = self._folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(exist_ok=True)

    def _say(self, message: list[Any]) -> None:
        with contextlib.suppress(OSError):  # nobody listens: the closed socket says so next
            self._control.sendall(json.dumps(message).encode() + b"\n")


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)


def _only_wake(signum: int, frame: object) -> None:
    """The wake-up descriptor has the signal."""


def main() -> None:
    """Arguments: the socket's descriptor, the folder, the memory limit in units of 2^20 bytes."""
    fd, folder, memory_mb = sys.argv[1:]
    with socket.socket(fileno=int(fd)) as control:
        control.set_inheritable(False)
        Keeper(control, Path(folder), int(memory_mb)).serve()


if __name__ == "__main__":
    main()
