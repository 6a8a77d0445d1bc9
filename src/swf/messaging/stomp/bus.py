"""The bus port over STOMP."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from swf.core.destinations import is_topic
from swf.messaging.bus import Delivery, Subscription, Wire
from swf.messaging.settings import BusSection
from swf.messaging.stomp.access import access
from swf.messaging.stomp.consumer import Consumer, by_session
from swf.messaging.stomp.engine import Engine
from swf.messaging.stomp.intake import Intake, Token
from swf.messaging.stomp.link import Link, OnEvent
from swf.messaging.stomp.names import Names
from swf.messaging.stomp.producer import Producer
from swf.messaging.stomp.session import Session
from swf.messaging.stomp.status import BusStatus

_GOODBYE_S = 2.0

_Key = tuple[str, str, str]


class StompBus:
    """A broker that speaks STOMP 1.2.

    All methods are for one thread, that of the runtime; sockets are served by a thread of the bus, which only puts
    what arrives into queues. Two connections, one to publish and one to consume, so that a broker that holds a
    publisher back still gets acknowledgements. A lost connection is opened again within a second of the broker's
    return, for ever; what was not acknowledged then comes again, and what it is not known to have is published again.

    Args:
        settings: where the broker is, and the limits.
        on_ready: called on the bus's thread when messages have arrived.
        on_event: called there when a connection was made or lost, or a subscription refused.
        names: the names of queues; without it, those that the settings say.
        prefetch: how many unacknowledged messages of a queue a role holds, where it differs from the settings.
        chance: a number from 0 to 1, for pauses that differ between processes.

    Raises:
        ConfigError: a setting is missing or cannot be right.
    """

    shares_database = False

    def __init__(
        self,
        settings: BusSection,
        *,
        on_ready: Callable[[], None] = lambda: None,
        on_event: OnEvent = lambda event, **fields: None,
        names: Names | None = None,
        prefetch: Mapping[str, int] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._names = names or Names(broker=settings.broker)
        self._prefetch = prefetch or {}
        self._intakes: dict[_Key, Intake] = {}
        timeout_s = settings.receipt_timeout_s
        self._consumer = Consumer(timeout_s=timeout_s, on_ready=on_ready, on_event=on_event)
        self._producer = Producer(names=self._names, window=settings.window, timeout_s=timeout_s)
        way_in = access(settings)
        self._inward = Link(
            "consume",
            way_in,
            on_open=self._consumer.opened,
            on_message=self._consumer.message,
            on_lost=self._consumer.lost,
            on_event=on_event,
            chance=chance,
        )
        self._outward = Link(
            "publish",
            way_in,
            on_open=_nothing_to_do,
            on_message=lambda session, identity, frame: None,
            on_lost=lambda: None,
            on_event=on_event,
            chance=chance,
        )
        self._engine = Engine("swf-bus")
        for link in (self._inward, self._outward):
            self._engine.spawn(link.serve())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to collect what is published for this role. Where there is no connection, it is done once there is one.

        Raises:
            ServiceError: the broker refuses it, for example because this user may not read there.
            ConfigError: the destination, the namespace or the role is no name.
        """
        key = (subscription.namespace, subscription.role, subscription.destination)
        if key in self._intakes:
            return
        intake = Intake(
            f"s{len(self._intakes)}", subscription, self._names.source(subscription), self._limit(subscription)
        )
        self._intakes[key] = intake
        self._engine.call(self._consumer.add(intake, self._inward))

    def receive(self, subscription: Subscription, limit: int) -> list[Delivery]:
        return self._intakes[subscription.namespace, subscription.role, subscription.destination].take(limit)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        tokens = [delivery.token for delivery in deliveries]
        for session, acks in by_session((t.session, t.ack) for t in tokens if isinstance(t, Token)).items():
            self._engine.post(Session.acknowledge, session, acks)

    def publish(self, messages: Sequence[Wire]) -> None:
        if messages:
            self._engine.call(self._producer.publish(messages, self._outward))

    def announce(self, destinations: frozenset[str]) -> None:
        pass

    def status(self) -> BusStatus:
        """The bus at this moment."""
        return BusStatus(
            consumer=self._inward.status(),
            producer=self._outward.status(),
            receipts_outstanding=self._outward.receipts_outstanding,
            subscriptions=self._consumer.status(),
        )

    def close(self) -> None:
        """Send what was acknowledged, leave the broker, and end the thread. What was not acknowledged comes again."""
        for link in (self._inward, self._outward):
            if self._engine.is_running:
                self._engine.call(link.close(_GOODBYE_S))
        self._engine.close()

    def _limit(self, subscription: Subscription) -> int:
        """How many messages to hold. What a consumer of a work queue holds, no other can take."""
        usual = self._settings.prefetch if is_topic(subscription.destination) else self._settings.queue_prefetch
        return usual if is_topic(subscription.destination) else self._prefetch.get(subscription.role, usual)


async def _nothing_to_do(session: Session) -> None:
    """There is nothing to subscribe to where one only publishes."""
