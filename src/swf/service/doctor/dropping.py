"""A bus that is lost at chosen moments, as it is for a process that dies: what it had taken in is not acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from swf.messaging.bus import Bus, Delivery, Subscription, Wire


class Drop(Enum):
    """When the bus is lost."""

    ON_RECEIPT = auto()
    """Messages have come, and nothing was done with them."""
    AT_THE_ACK = auto()
    """They have taken effect, and were not acknowledged; where both are one transaction, neither."""


class DroppedError(Exception):
    """The bus is lost; whoever used it ends with it."""


class DroppingBus:
    """Passes everything on to a bus, until it is lost."""

    def __init__(self, bus: Bus) -> None:
        self.shares_database = bus.shares_database
        self.next_drop: Drop | None = None
        """Where the next passage is lost, once there are messages in hand."""
        self.in_hand: list[Delivery] = []
        """What was received and not acknowledged."""
        self._bus = bus

    def subscribe(self, subscription: Subscription) -> None:
        self._bus.subscribe(subscription)

    def receive(self, subscription: Subscription, limit: int) -> list[Delivery]:
        taken = self._bus.receive(subscription, limit)
        self.in_hand += taken
        if taken and self.next_drop is Drop.ON_RECEIPT:
            raise DroppedError
        return taken

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries and self.next_drop is Drop.AT_THE_ACK:
            raise DroppedError
        self._bus.ack(deliveries)
        done = {id(delivery) for delivery in deliveries}
        self.in_hand = [delivery for delivery in self.in_hand if id(delivery) not in done]

    def publish(self, messages: Sequence[Wire]) -> None:
        self._bus.publish(messages)

    def announce(self, destinations: frozenset[str]) -> None:
        self._bus.announce(destinations)
