"""Wake-ups for readers of the event log: there is more. They say nothing else, and one too many does no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

from django.db import OperationalError, connection

from swf.store.sequencer import CHANNEL

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_LOOK_S: Final = 0.5
"""How often the thread sees whether it is to end."""


class WakeUps:
    """Calls `wake` when rows were added to the log, on a thread of its own, until the end of the block.

    PostgreSQL tells (LISTEN); SQLite is asked whether another connection has changed the file. After a connection that
    was lost, and at the beginning, `wake` is called once: something may have come meanwhile.

    Args:
        wake: sets an event, or the like; it must not use the database.
        interval_s: how often SQLite is asked.
    """

    def __init__(self, wake: Callable[[], object], *, interval_s: float = 0.25) -> None:
        self._wake = wake
        self._interval_s = interval_s
        self._ended = threading.Event()
        listen = self._listen if connection.vendor == "postgresql" else self._poll
        self._thread = threading.Thread(target=listen, name="swf-wake-ups", daemon=True)

    def __enter__(self) -> WakeUps:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _listen(self) -> None:
        import psycopg

        parameters = _parameters()
        pause = _FIRST_PAUSE_S
        while not self._ended.is_set():
            try:
                with psycopg.connect(**parameters, autocommit=True) as listener:
                    listener.execute(f"LISTEN {CHANNEL}")
                    pause = _FIRST_PAUSE_S
                    self._wake()
                    while not self._ended.is_set():
                        for _ in listener.notifies(timeout=_LOOK_S, stop_after=1):
                            self._wake()
            except psycopg.OperationalError:
                self._ended.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _poll(self) -> None:
        seen: object = None
        while not self._ended.wait(0 if seen is None else self._interval_s):
            try:
                with connection.cursor() as cursor:
                    cursor.execute("PRAGMA data_version")
                    version = cursor.fetchone()
            except OperationalError:
                # A new connection counts from anew.
                version = None
                connection.close()
                self._ended.wait(_FIRST_PAUSE_S)
            if version != seen:
                seen = version
                self._wake()
        connection.close()


def _parameters() -> dict[str, Any]:
    """How to connect to this process's database, in psycopg's words; not through a pool: a listener keeps its own."""
    parameters: dict[str, Any] = connection.get_connection_params()
    return {key: value for key, value in parameters.items() if key not in {"cursor_factory", "context"}}
