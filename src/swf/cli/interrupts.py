"""Signals: the first one asks for an end in good order, a second Ctrl-C ends the process at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from swf.cli.exit_codes import ExitCode


class Interrupts:
    """Remembers that the process was asked to end. The handler does nothing else, whatever it interrupts."""

    def __init__(self, before_exit: Callable[[], None] = lambda: None) -> None:
        self._before_exit = before_exit
        self.name = ""
        """The signal that came, in words; empty before one did."""

    def asked(self) -> bool:
        """Whether a signal came."""
        return bool(self.name)

    @contextmanager
    def caught(self) -> Iterator[Interrupts]:
        """Take SIGINT and SIGTERM from here on; as before on leaving."""
        before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.name and number == signal.SIGINT:
            self._before_exit()
            # Payloads end with this process, and what they did is done again: nothing is lost by not waiting.
            os._exit(ExitCode.INTERRUPTED)
        self.name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
