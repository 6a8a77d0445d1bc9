"""What tests of the STOMP bus share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.activemq import ActiveMq, pause
from swf.messaging.bus import Delivery, Subscription
from swf.messaging.stomp import Names, StompBus
from swf.messaging.stomp.names import Source

PATIENCE_S = 30.0
"""A safety net: what a test waits for comes much sooner, or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesOfOneTest(Names):
    """Names that differ between tests which share a broker."""

    test: str

    def target(self, destination: str, namespace: str) -> str:
        kind, name = destination[:7], destination[7:]
        return Names.target(self, f"{kind}{self.test}.{name}", namespace)

    def source(self, subscription: Subscription) -> Source:
        kind, name = subscription.destination[:7], subscription.destination[7:]
        renamed = Subscription(
            namespace=subscription.namespace,
            role=subscription.role,
            destination=f"{kind}{self.test}.{name}",
            types=subscription.types,
        )
        return Names(broker=self.broker).source(renamed)


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:g} s: {what}"
        pause(0.01)


def settled(broker: ActiveMq, bus: StompBus) -> bool:
    """Whether everything that the broker has for this bus has come, and what it acknowledged is gone."""
    held: dict[str, int] = {}
    for subscription in bus.status().subscriptions:
        held[subscription.queue] = held.get(subscription.queue, 0) + subscription.unacknowledged
    with broker.client() as client:
        return all(client.statistics(queue).get("size") == number for queue, number in held.items())


def receive(bus: StompBus, subscription: Subscription, number: int) -> list[Delivery]:
    """That many deliveries, as they come."""
    taken: list[Delivery] = []

    def enough() -> bool:
        taken.extend(bus.receive(subscription, number - len(taken)))
        return len(taken) == number

    eventually(enough, f"{number} messages of {subscription.destination} for {subscription.role}")
    return taken
