"""Threads for slow input and output, so that the database thread never waits for a disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class IoPool:
    """Runs functions on a few threads; their results are taken on the database thread, in the order of finishing.

    A function gets values and returns values: it must not touch the database.
    """

    def __init__(self, size: int, on_ready: Callable[[], None]) -> None:
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="swf-io")
        self._on_ready = on_ready
        self._owners: dict[str, deque[tuple[Any, Future[Any]]]] = {}
        self._running: dict[str, int] = {}

    def submit(self, owner: str, key: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run `function` for `owner`; `take` gives its future back with `key`."""
        self._running[owner] = self._running.get(owner, 0) + 1
        done = self._owners.setdefault(owner, deque())
        future = self._executor.submit(function, *args, **kwargs)
        # deque.append is atomic, and the callback runs on the thread that finished.
        future.add_done_callback(lambda f: (done.append((key, f)), self._on_ready()))  # type: ignore[func-returns-value]

    def take(self, owner: str) -> list[tuple[Any, Future[Any]]]:
        """What has finished for `owner` since the last call, as (key, done future)."""
        done = self._owners.get(owner)
        taken = [done.popleft() for _ in range(len(done))] if done else []
        if taken:
            self._running[owner] -= len(taken)
        return taken

    def running(self, owner: str) -> int:
        """How many of `owner`'s functions are not taken back yet."""
        return self._running.get(owner, 0)

    def close(self) -> None:
        """Wait for what runs; what has not begun is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)
