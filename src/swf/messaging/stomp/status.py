"""How the bus is doing, for those who show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """One of the two connections of a bus."""

    connected: bool
    server: str
    """Host and port of the broker that it is or was last connected to."""
    trouble: str
    """Why there is no connection; empty where there is one, or none was tried yet."""
    connections: int
    """How often it was connected since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStatus:
    """What a role takes from one destination."""

    role: str
    destination: str
    queue: str
    """Name on the broker."""
    confirmed: bool
    """Whether the broker has confirmed it on the present connection."""
    refusal: str
    """Why the broker refused it; empty where it did not."""
    waiting: int
    """Messages that have arrived and were not received by the runtime yet."""
    unacknowledged: int
    """Messages that have arrived and were not acknowledged yet, with those that wait."""
    arrived: int
    """Messages since the start, with those that came again."""
    foreign: int
    """Of these, messages of other namespaces, passed over by their header."""
    unwanted: int
    """Of these, messages of types that the role does not handle, passed over by their header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusStatus:
    """A bus at one moment."""

    consumer: LinkStatus
    producer: LinkStatus
    receipts_outstanding: int
    """Windows of messages that were sent, and that the broker has not confirmed yet: 0 or 1 per publishing thread."""
    subscriptions: tuple[SubscriptionStatus, ...]

    @property
    def ready(self) -> bool:
        """Whether messages can be sent and every subscription gets its own."""
        confirmed = all(subscription.confirmed for subscription in self.subscriptions)
        return self.consumer.connected and self.producer.connected and confirmed
