"""Threads for slow input and output, so that the database thread never waits for a disk."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any


class IoPool:
    """Runs functions on a few threads; their results are taken on the database thread, in the order of finishing.

    A function gets values and returns values: it must not touch the database.
    """

    def __init__(self, size: int, on_ready: Callable[[], None]) -> None:
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="swf-io")
        self._on_ready = on_ready
        self._changed = threading.Condition()
        self._finished: defaultdict[str, list[tuple[Any, Future[Any]]]] = defaultdict(list)
        self._running: defaultdict[str, int] = defaultdict(int)

    def submit(self, owner: str, key: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run `function` for `owner`; `take` gives its future back with `key`."""
        self._running[owner] += 1
        future = self._executor.submit(function, *args, **kwargs)
        future.add_done_callback(partial(self._done, owner, key))

    def take(self, owner: str) -> list[tuple[Any, Future[Any]]]:
        """What has finished for `owner` since the last call, as (key, done future)."""
        with self._changed:
            taken = self._finished.pop(owner, [])
        self._running[owner] -= len(taken)
        return taken

    def running(self, owner: str) -> int:
        """How many of `owner`'s functions are not taken back yet."""
        return self._running[owner]

    def wait(self, owner: str) -> None:
        """Wait until all that `owner` submitted can be taken; for a process that ends."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._finished[owner]) == self._running[owner])

    def close(self) -> None:
        """Wait for what runs; what has not begun is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _done(self, owner: str, key: Any, future: Future[Any]) -> None:
        """Runs on the thread that finished."""
        with self._changed:
            self._finished[owner].append((key, future))
            self._changed.notify_all()
        self._on_ready()
