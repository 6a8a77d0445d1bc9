"""Signals: the first one asks for an end in good order, a second one ends the process at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from swf.cli.exit_codes import ExitCode

_TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class Interrupts:
    """Remembers that the process was asked to end. The handler does nothing else, whatever it interrupts.

    With `second_ends`, a second signal of any kind ends the process at once, as a second Ctrl-C always does.
    """

    def __init__(self, before_exit: Callable[[], None] = lambda: None, *, second_ends: bool = False) -> None:
        self._before_exit = before_exit
        self._second_ends = second_ends
        self.name = ""
        """The signal that came, in words; empty before one did."""

    def asked(self) -> bool:
        """Whether a signal came."""
        return bool(self.name)

    @contextmanager
    def caught(self) -> Iterator[Interrupts]:
        """Take SIGINT, SIGTERM and SIGQUIT from here on; as before on leaving."""
        before = {number: signal.signal(number, self._handle) for number in _TAKEN}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.name and (number == signal.SIGINT or self._second_ends):
            self._before_exit()
            # Payloads end with this process, and what they did is done again: nothing is lost by not waiting.
            os._exit(ExitCode.INTERRUPTED)
        self.name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
