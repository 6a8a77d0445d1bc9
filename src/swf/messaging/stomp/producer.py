"""The publishing side: messages in windows, each a transaction of the broker with one receipt. On the bus's thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final
from uuid import UUID

from swf.core.errors import ServiceError
from swf.messaging.bus import Wire
from swf.messaging.stomp import frames
from swf.messaging.stomp.link import Link
from swf.messaging.stomp.names import Names

LARGEST_WINDOW_BYTES: Final = 4_000_000
"""The text of a window's messages is not longer than this, unless it is one message."""


class Producer:
    """Publishes in order.

    A window that fails ends the publication: nothing overtakes what it had. Which windows the broker confirmed until
    then is remembered, so that a publisher who repeats the whole repeats on the broker at most the one that is unknown.
    """

    def __init__(self, *, names: Names, window: int, timeout_s: float) -> None:
        self._names = names
        self._window = window
        self._timeout_s = timeout_s
        self._transactions = count(1)
        self._confirmed: set[UUID] = set()
        """Messages of failed publications that the broker has."""

    async def publish(self, wires: Sequence[Wire], link: Link) -> None:
        """Send what the broker is not known to have.

        Raises:
            ServiceError: the broker cannot take them now; it has all of the windows before the failed one.
        """
        todo = [wire for wire in wires if wire.message_id not in self._confirmed] if self._confirmed else list(wires)
        confirmed: list[Wire] = []
        try:
            for window in windows(todo, self._window):
                session = await link.session()
                data, receipt = frames.window(window, self._names, f"t{next(self._transactions)}")
                await session.request(data, receipt, self._timeout_s)
                confirmed += window
        except ServiceError:
            self._confirmed.update(wire.message_id for wire in confirmed)
            raise
        self._confirmed.difference_update(wire.message_id for wire in wires)


def windows(wires: Sequence[Wire], size: int) -> Iterator[list[Wire]]:
    """The messages in order, in groups of at most `size`, and of not too many bytes."""
    window: list[Wire] = []
    total = 0
    for wire in wires:
        if window and (len(window) == size or total + len(wire.body) > LARGEST_WINDOW_BYTES):
            yield window
            window, total = [], 0
        window.append(wire)
        total += len(wire.body)
    if window:
        yield window
