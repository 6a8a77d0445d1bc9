"""A bus that keeps the letter of its contract and no more: every message comes three times and in another order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from swf.core.errors import ServiceError
from swf.messaging.bus import Bus, Delivery, Subscription, Wire


@dataclass(order=True, slots=True)
class _Waiting:
    place: float
    wire: Wire = field(compare=False)


class UnrulyBus:
    """Publishes each message `copies` times, each copy at a place up to `window` messages behind its own, and one
    in ten up to `delay` messages behind.

    A place is a number of messages and no time: so many others go first. While nothing is published the places behind
    come up by `idle`. What waits here is not with the broker yet: it is for processes that do not die.
    """

    shares_database = False

    def __init__(self, bus: Bus, rng: random.Random, *, copies: int = 3, window: int = 100, delay: int = 600) -> None:
        self._bus = bus
        self._rng = rng
        self._copies = copies
        self._window = window
        self._delay = delay
        self._place = 0.0
        self._waiting: list[_Waiting] = []
        self.published = 0
        """Copies that the broker has."""

    def subscribe(self, subscription: Subscription) -> None:
        self._bus.subscribe(subscription)

    def receive(self, subscription: Subscription, limit: int) -> list[Delivery]:
        return self._bus.receive(subscription, limit)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self._bus.ack(deliveries)

    def announce(self, destinations: frozenset[str]) -> None:
        self._bus.announce(destinations)

    def publish(self, messages: Sequence[Wire]) -> None:
        for wire in messages:
            self._place += 1
            for _ in range(self._copies):
                most = self._delay if self._rng.random() < 0.1 else self._window
                self._waiting.append(_Waiting(self._place + self._rng.uniform(0, most), wire))
        self._let_go()

    def idle(self) -> None:
        """Nobody has anything to say: what waits comes up."""
        self._place += 10
        self._let_go()

    @property
    def waiting(self) -> int:
        """How many copies have not been published yet."""
        return len(self._waiting)

    def _let_go(self) -> None:
        self._waiting.sort()
        due = [each.wire for each in self._waiting if each.place <= self._place]
        if not due:
            return
        try:
            self._bus.publish(due)
        except ServiceError:
            return  # they stay, and are tried again with the next ones
        del self._waiting[: len(due)]
        self.published += len(due)
