"""Asking a database that may restart meanwhile, for commands that watch what others do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from swf.cli.interrupts import Interrupts
from swf.cli.output import say
from swf.core.errors import ServiceError
from swf.core.times import Clock
from swf.store import database

LAST_TRIES_S: Final = 5.0
"""How long a database that fails is asked again once a signal came."""
_PAUSE_S: Final = 0.25

Answer = TypeVar("Answer")


class Patience:
    """Asks again and again until the database answers; tells once that it does not."""

    def __init__(self, interrupts: Interrupts, clock: Clock) -> None:
        self._interrupts = interrupts
        self._clock = clock

    def __call__(self, ask: Callable[[], Answer]) -> Answer:
        """What `ask` answers. It may be asked several times.

        Raises:
            ServiceError: the database does not answer, and a signal came.
        """
        told, until = False, None
        while True:
            try:
                return ask()
            except database.FAILURES as error:
                database.recover()
                why = str(error).strip().partition("\n")[0]
                if not told:
                    told = True
                    say(f"waiting: the database does not answer: {why}")
                if self._interrupts.asked():
                    until = until or self._clock.monotonic() + LAST_TRIES_S
                    if self._clock.monotonic() >= until:
                        raise ServiceError(
                            f"the database does not answer: {why}; a run that agents have taken goes on by itself: see "
                            "it later with: testbed runs list"
                        ) from error
            threading.Event().wait(_PAUSE_S)
