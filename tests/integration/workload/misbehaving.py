"""Entry points that do what payloads should not. Imported by the children of the pools under test."""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

from swf.core.payload import PayloadJob

IMPORTED_BY = os.getpid()


def write(job: PayloadJob) -> dict[str, object]:
    job.output.write_text(f"{job.input} {job.first} {job.last} {job.run} {job.slice}", encoding="utf-8")
    return {"pid": os.getpid(), "imported_by": IMPORTED_BY}


def what_the_job_says(job: PayloadJob) -> dict[str, object]:
    """The slice's name tells what to do."""
    os.write(2, f"printed by {job.key}\n".encode())
    if job.slice != "write":
        globals()[job.slice](job)
    return write(job)


def segfault(job: PayloadJob) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave_at_once(job: PayloadJob) -> None:
    os._exit(0)


def fail(job: PayloadJob) -> None:
    job.output.write_text("half", encoding="utf-8")
    raise RuntimeError("this one failed")


def write_nothing(job: PayloadJob) -> dict[str, object]:
    return {"pid": os.getpid()}


def close_everything(job: PayloadJob) -> None:
    os.closerange(0, 256)
    signal.pause()


def replace_streams(job: PayloadJob) -> None:
    sys.stdout.close()
    sys.stderr = None  # type: ignore[assignment]


def sockets() -> list[int]:
    fds = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    found = []
    for fd in fds:
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.append(fd)
        except OSError:
            continue
    return found


def write_rubbish(job: PayloadJob) -> None:
    for fd in sockets():
        os.write(fd, b"\0rubbish\n")
    signal.pause()


def forge_a_result(job: PayloadJob) -> None:
    for fd in sockets():
        os.write(fd, b'["done",4711,"ok",0,"",{}]\n')
    signal.pause()


def fork_and_crash(job: PayloadJob) -> None:
    """The fork holds the channel open after the crash."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        hold(job, writer)
    os.read(reader, 1)
    os.kill(os.getpid(), signal.SIGSEGV)


def kill_the_keeper(job: PayloadJob) -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()


def eat(job: PayloadJob) -> None:
    eaten = [bytearray(b"1") * 25_000_000 for _ in range(16)]
    assert eaten
    signal.pause()


def hold(job: PayloadJob, held: int | None = None) -> None:
    """Write this process's and its parent's number to the pipe that `input` names, and hold it for ever."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe = os.open(job.input, os.O_WRONLY)
    os.write(pipe, f"{os.getpid()} {os.getppid()}\n".encode())
    if held is not None:
        os.write(held, b"!")
    while True:
        signal.pause()


def hold_with_a_fork(job: PayloadJob) -> None:
    if os.fork() == 0:
        os.setsid()
    hold(job)


def environment(job: PayloadJob) -> dict[str, object]:
    return {"variables": dict(os.environ), "cwd": str(Path.cwd()), "sockets": len(sockets())}


if __name__ == "__main__":
    globals()[sys.argv[1]](
        PayloadJob(key="", input=sys.argv[2], first=0, last=0, output=Path(sys.argv[3]), run=0, slice="")
    )
