"""Threads for slow input and output, so that the database thread never waits for a disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent import futures
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
        self._pending: dict[str, set[Future[Any]]] = {}

    def submit(self, owner: str, key: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run `function` for `owner`; `take` gives its future back with `key`."""
        done = self._owners.setdefault(owner, deque())
        future = self._executor.submit(function, *args, **kwargs)
        self._pending.setdefault(owner, set()).add(future)
        # deque.append is atomic, and the callback runs on the thread that finished.
        future.add_done_callback(lambda f: (done.append((key, f)), self._on_ready()))  # type: ignore[func-returns-value]

    def take(self, owner: str) -> list[tuple[Any, Future[Any]]]:
        """What has finished for `owner` since the last call, as (key, done future)."""
        done = self._owners.get(owner)
        taken = [done.popleft() for _ in range(len(done))] if done else []
        for _, future in taken:
            self._pending[owner].discard(future)
        return taken

    def running(self, owner: str) -> int:
        """How many of `owner`'s functions are not taken back yet."""
        return len(self._pending.get(owner, ()))

    def wait(self, owner: str) -> None:
        """Wait until all that `owner` submitted has finished; for a process that ends."""
        futures.wait(self._pending.get(owner, ()))

    def close(self) -> None:
        """Wait for what runs; what has not begun is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)
