"""The pool: payloads in processes of their own on this host, at most so many at once."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from swf.core.errors import BusyError, ConfigError, PayloadError
from swf.core.payload import Outcome, PayloadJob, PayloadResult, PayloadSpec
from swf.core.times import Clock
from swf.workload.slot import Slot
from swf.workload.spec import payload_environment, validate_spec

_LOOK_S: Final = 0.1
"""How often time limits are looked at."""

_KEEPERS_S: Final = 5.0
"""How much longer than the grace a keeper may take to end before it is killed."""


class PayloadPool:
    """Runs payloads as local processes; see `swf.workload.port.Pool` for the methods.

    One thread starts them, listens to them and minds their time limits; it calls `on_ready` when results wait, which
    may only wake somebody. Nothing else of the caller runs in it. `scratch` is a folder of this pool alone, on a local
    disk, with the payloads' working folders and what they print. Processes start with the first jobs, or by `prewarm`.

    Raises:
        ConfigError: the specification cannot be run as written, or `size` is below 1.
    """

    def __init__(
        self, spec: PayloadSpec, *, size: int, clock: Clock, on_ready: Callable[[], None], scratch: Path
    ) -> None:
        validate_spec(spec)
        if size < 1:
            raise ConfigError(f"payload {spec.name!r}: a pool of {size} cannot run anything: expected at least 1")
        self._on_ready = on_ready
        self._lock = threading.Lock()
        self._queue: deque[PayloadJob] = deque()
        self._keys: set[str] = set()
        self._running = 0
        self._results: list[PayloadResult] = []
        self._unwanted: set[str] = set()
        self._warm = False
        self._awake = False
        self._grace_s: float | None = None
        self._unfinished: list[PayloadJob] = []
        self._failure: Exception | None = None
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        folders = [scratch.absolute() / f"slot-{number}" for number in range(size)]
        self._slots = [
            Slot(
                spec=spec,
                folder=folder,
                environment=payload_environment(spec, os.environ, folder / "work"),
                clock=clock,
                selector=self._selector,
            )
            for folder in folders
        ]
        self._thread = threading.Thread(target=self._work, name=f"payloads {spec.name}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(0.0)

    def submit(self, job: PayloadJob) -> None:
        with self._lock:
            self._check_open()
            if job.key in self._keys:
                raise BusyError(f"the attempt {job.key!r} is queued or running; submit each attempt once")
            self._keys.add(job.key)
            self._queue.append(job)
            self._ring()

    def prewarm(self) -> None:
        """Start what can be started ahead of the first jobs: keepers, and for entry points the children."""
        with self._lock:
            self._check_open()
            self._warm = True
            self._ring()

    def take(self) -> list[PayloadResult]:
        with self._lock:
            if not self._results and self._failure is not None:
                raise PayloadError(f"the pool of payloads stopped: {self._failure}") from self._failure
            results, self._results = self._results, []
            return results

    def running(self) -> int:
        with self._lock:
            return self._running

    def queued(self) -> int:
        with self._lock:
            return len(self._queue)

    def cancel(self, key: str) -> bool:
        with self._lock:
            if key not in self._keys or self._grace_s is not None:
                return False
            self._unwanted.add(key)
            self._ring()
            return True

    def close(self, grace_s: float) -> list[PayloadJob]:
        with self._lock:
            if self._grace_s is None:
                self._grace_s = grace_s
                self._ring()
        self._thread.join()
        with self._lock:
            unfinished, self._unfinished = self._unfinished, []
            return unfinished

    def _check_open(self) -> None:
        if self._grace_s is not None or self._failure is not None:
            raise PayloadError("the pool of payloads is closed")

    def _ring(self) -> None:
        """Wake the thread, once. Under the lock."""
        if not self._awake:
            self._awake = True
            with contextlib.suppress(OSError):  # the thread ended
                self._ringer.send(b"!")

    def _work(self) -> None:
        try:
            while self._fill():
                busy = any(slot.pending for slot in self._slots)
                ready = [key for key, _ in self._selector.select(_LOOK_S if busy else None)]
                self._hear(ready)
                for slot in self._slots:
                    if slot.pending:
                        slot.mind_time()
        except Exception as error:  # noqa: BLE001 - the boundary of a loop: whoever takes results is told
            self._failure = error
            with contextlib.suppress(Exception):
                self._on_ready()
        finally:
            self._shut()

    def _fill(self) -> bool:
        """Do what was asked for, and give jobs to the slots that are free; False when the pool has to close."""
        with self._lock:
            self._awake = False
            if self._grace_s is not None:
                return False
            unwanted, self._unwanted = self._unwanted, set()
            warm, self._warm = self._warm, False
        if unwanted:
            self._drop(unwanted)
        for slot in self._slots:
            while slot.free and (job := self._next()) is not None:
                self._keep([slot.begin(job)])
            if warm:
                slot.prewarm()
        return True

    def _next(self) -> PayloadJob | None:
        with self._lock:
            if not self._queue:
                return None
            self._running += 1
            return self._queue.popleft()

    def _drop(self, unwanted: set[str]) -> None:
        with self._lock:
            waiting = [job for job in self._queue if job.key in unwanted]
            for job in waiting:
                self._queue.remove(job)
            self._running += len(waiting)
        self._keep(
            [PayloadResult(key=j.key, outcome=Outcome.CANCELLED, detail="cancelled in the queue") for j in waiting]
        )
        for slot in self._slots:
            if slot.job is not None and slot.job.key in unwanted:
                slot.stop(Outcome.CANCELLED, "cancelled while it ran")

    def _hear(self, ready: list[selectors.SelectorKey]) -> None:
        if any(key.fileobj is self._bell for key in ready):
            self._bell.recv(64)
        slots = dict.fromkeys(key.data for key in ready if key.data is not None)
        self._keep([slot.hear() for slot in slots])

    def _keep(self, ended: list[PayloadResult | None]) -> None:
        """Put results where they can be taken, and tell if none waited before."""
        results = [result for result in ended if result is not None]
        if not results:
            return
        with self._lock:
            first = not self._results
            self._results += results
            self._running -= len(results)
            self._keys.difference_update(result.key for result in results)
        if first:
            self._on_ready()

    def _shut(self) -> None:
        """End all that runs."""
        grace_s = self._grace_s or 0.0
        if self._failure is None:
            self._hear([key for key, _ in self._selector.select(0)])
        with selectors.DefaultSelector() as ending:
            for slot in self._slots:
                if (closing := slot.exit(grace_s)) is not None:
                    ending.register(closing, selectors.EVENT_READ)
            while ending.get_map():
                ready = ending.select(grace_s + _KEEPERS_S)
                if not ready:
                    break
                for key, _ in ready:
                    if _closed(key.fileobj):
                        ending.unregister(key.fileobj)
        with self._lock:
            self._unfinished = [slot.job for slot in self._slots if slot.job is not None] + list(self._queue)
            self._running = 0
            self._queue.clear()
            self._keys.clear()
        for slot in self._slots:
            slot.kill()
            slot.close()
        self._selector.close()
        self._bell.close()
        self._ringer.close()


def _closed(end: object) -> bool:
    """Read what came; whether the other end is closed."""
    assert isinstance(end, socket.socket)
    try:
        return not end.recv(65_536)
    except BlockingIOError:
        return False
    except OSError:
        return True
