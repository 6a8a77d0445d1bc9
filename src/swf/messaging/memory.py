"""A bus in memory, for tests of handlers and agents: as strict as a broker, and gone with the process."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from swf.core.destinations import is_topic
from swf.messaging.bus import Delivery, Subscription, Wire


class MemoryBus:
    """Keeps each subscribed role's messages until they are acknowledged.

    `redeliver` gives everything that was received but not acknowledged once more, as a broker does for consumers that
    went away.
    """

    shares_database = False

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str, str], deque[Wire]] = {}
        self._unacked: dict[tuple[str, str, str], dict[int, Wire]] = {}
        self._next = 0

    def subscribe(self, subscription: Subscription) -> None:
        self._waiting.setdefault(_key(subscription), deque())

    def receive(self, subscription: Subscription, limit: int) -> list[Delivery]:
        key = _key(subscription)
        waiting = self._waiting.setdefault(key, deque())
        taken: list[Delivery] = []
        while waiting and len(taken) < limit:
            wire = waiting.popleft()
            self._next += 1
            self._unacked.setdefault(key, {})[self._next] = wire
            taken.append(Delivery(subscription=subscription, body=wire.body, token=self._next))
        return taken

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            token = delivery.token
            assert isinstance(token, int)
            self._unacked.get(_key(delivery.subscription), {}).pop(token, None)

    def publish(self, messages: Sequence[Wire]) -> None:
        for wire in messages:
            if is_topic(wire.destination):
                for (namespace, _, destination), waiting in self._waiting.items():
                    if (namespace, destination) == (wire.namespace, wire.destination):
                        waiting.append(wire)
            else:
                self._waiting.setdefault((wire.namespace, "", wire.destination), deque()).append(wire)

    def announce(self, destinations: frozenset[str]) -> None:
        pass

    def redeliver(self) -> int:
        """Put what was received but not acknowledged back, in order, at the front. Returns how many."""
        for key, unacked in self._unacked.items():
            self._waiting[key].extendleft(reversed(unacked.values()))
        number = sum(map(len, self._unacked.values()))
        self._unacked.clear()
        return number


def _key(subscription: Subscription) -> tuple[str, str, str]:
    if is_topic(subscription.destination):
        return subscription.namespace, subscription.role, subscription.destination
    return subscription.namespace, "", subscription.destination
