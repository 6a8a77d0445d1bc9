"""The bus port: what the runtime needs of a message broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a role takes from one destination, of the messages of its namespace.

    From its first subscription on, a role gets each message of a topic once, whether it is there at the time or not;
    what was published before is not for it. A queue's message waits for a consumer and goes to one. `types` are the
    message types that the role handles: of a topic, an adapter may leave out others, and need not.
    """

    namespace: str
    role: str
    destination: str
    types: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A message as it travels. After `expires_at` a broker need not deliver it any more; an adapter may ignore that.
    `headers` are for listeners outside that choose by them; the bus's own have other names, or are stronger."""

    message_id: UUID
    namespace: str
    destination: str
    msg_type: str
    run_number: int | None
    body: str
    expires_at: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as it was received; `token` is the adapter's own way to acknowledge it. `redelivered` says that it may
    have been received before; an adapter that does not know says that it was not."""

    subscription: Subscription
    body: str | bytes
    token: object
    redelivered: bool = False


class Bus(Protocol):
    """A message broker.

    A message that was published is delivered to every role that subscribes to its topic, or to one consumer of its
    queue, at least once, in the order of publishing per destination, until it is acknowledged.
    """

    shares_database: bool
    """Whether sends and acknowledgements are rows of the database that the handlers use, and so part of their
    transaction. Then the runtime calls `ack` inside it, and an outbox row is itself the message; otherwise it calls
    `ack` after the commit, and a relay publishes the outbox."""

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to collect what is published for this role."""
        ...

    def receive(self, subscription: Subscription, limit: int) -> list[Delivery]:
        """Up to `limit` messages that wait, oldest first; none where none waits. Never blocks."""
        ...

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """These deliveries are dealt with and shall not come again.

        Those of a topic are acknowledged in the order of their receipt; those of a queue in any order. To acknowledge
        one again, or one that has come again since, does nothing.
        """
        ...

    def publish(self, messages: Sequence[Wire]) -> None:
        """Hand messages to the broker, in order; a normal return means that it has them safely.

        Raises:
            ServiceError: the broker cannot take them now.
        """
        ...

    def announce(self, destinations: frozenset[str]) -> None:
        """Messages for these destinations were committed to the shared database. Nothing to do for other brokers."""
        ...
