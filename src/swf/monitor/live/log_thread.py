"""The one thread that reads the event log for all readers of live events, with one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from django.db import connections

from swf.core.errors import ServiceError
from swf.store import database

T = TypeVar("T")

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0


class LogThread:
    """A thread on which the store is asked."""

    def __init__(self) -> None:
        self._ended = False
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="swf-live-events")

    async def ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """The answer to a question; while the database fails, it is asked again, less and less often.

        Raises:
            ServiceError: the thread has ended.
        """
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_S
        while not self._ended:
            try:
                return await loop.run_in_executor(self._pool, _asked, question, *arguments)
            except database.FAILURES:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
        raise ServiceError("the monitor ends: come again later")

    async def end(self) -> None:
        """Close the connection and end the thread."""
        self._ended = True
        await asyncio.get_running_loop().run_in_executor(self._pool, connections.close_all)
        self._pool.shutdown(wait=False)


def _asked(question: Callable[..., T], *arguments: Any) -> T:
    try:
        return question(*arguments)
    except database.FAILURES:
        database.recover()
        raise
