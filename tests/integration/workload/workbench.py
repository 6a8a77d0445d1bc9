"""What the tests of the pool share."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from swf.core.payload import PayloadJob, PayloadResult, PayloadSpec
from swf.core.times import Clock
from swf.workload.pool import PayloadPool

HERE = Path(__file__).parent
PATIENCE_S = 60.0
"""Never waited for by a test that passes."""


class Workbench:
    """A pool under test and what a test does with it."""

    def __init__(self, spec: PayloadSpec, size: int, clock: Clock, folder: Path) -> None:
        self.scratch = folder / "scratch"
        self.outputs = folder / "outputs"
        self.pipe = folder / "pipe"
        self.ready = threading.Event()
        self.pool = PayloadPool(spec, size=size, clock=clock, on_ready=self.ready.set, scratch=self.scratch)

    def job(self, key: str, what: str = "write", address: str = "in.stf") -> PayloadJob:
        return PayloadJob(
            key=key, input=address, first=3, last=9, output=self.outputs / f"{key}.root", run=100, slice=what
        )

    def submit(self, key: str, what: str = "write", address: str = "in.stf") -> None:
        self.pool.submit(self.job(key, what, address))

    def take(self, count: int = 1) -> dict[str, PayloadResult]:
        """Wait for so many results."""
        results: list[PayloadResult] = []
        while len(results) < count:
            assert self.ready.wait(PATIENCE_S), f"{count} results wanted, only {results} came"
            self.ready.clear()
            results += self.pool.take()
        assert len(results) == count
        return {result.key: result for result in results}

    def run(self, what: str = "write", address: str = "in.stf") -> PayloadResult:
        self.submit("only", what, address)
        return self.take()["only"]

    def open_pipe(self) -> HeldPipe:
        os.mkfifo(self.pipe)
        return HeldPipe(self.pipe)


class HeldPipe:
    """A named pipe that processes under test hold open: its end is the end of the last of them."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._guard = os.open(path, os.O_WRONLY)  # no end before the first of them comes
        os.set_blocking(self._fd, True)
        self._came = b""

    def holders(self, count: int) -> list[tuple[int, int]]:
        """Wait until so many hold it: their process numbers and those of their parents."""
        while self._came.count(b"\n") < count:
            self._came += self._read()
        os.close(self._guard)
        pairs = [line.split() for line in self._came.splitlines()]
        return [(int(own), int(parent)) for own, parent in pairs]

    def wait_until_all_are_gone(self) -> None:
        while self._read():
            pass
        os.close(self._fd)

    def _read(self) -> bytes:
        assert select.select([self._fd], [], [], PATIENCE_S)[0], "neither a word nor the end came"
        return os.read(self._fd, 4096)


MakeBench = Callable[..., Workbench]


def shell(text: str, **settings: object) -> PayloadSpec:
    """A command: `text` in a shell, with `$1` the output and `$2` the input."""
    command = ("sh", "-c", 'eval "$SCRIPT"', "sh", "{output}", "{input}")
    return PayloadSpec(name="under test", command=command, environment=(f"SCRIPT={text}",), **settings)  # type: ignore[arg-type]


def python(what: str, **settings: object) -> PayloadSpec:
    """A command: a function of `misbehaving`, in a process of its own."""
    command = (sys.executable, str(HERE / "misbehaving.py"), what, "{input}", "{output}")
    return PayloadSpec(name="under test", command=command, **settings)  # type: ignore[arg-type]


def entry(function: str = "what_the_job_says", module: str = "misbehaving", **settings: object) -> PayloadSpec:
    """An entry point of a module in this folder."""
    variables = (f"PYTHONPATH={HERE}", *settings.pop("environment", ()))  # type: ignore[misc]
    return PayloadSpec(
        name="under test",
        entry_point=f"{module}:{function}",
        environment=variables,
        **settings,  # type: ignore[arg-type]
    )
