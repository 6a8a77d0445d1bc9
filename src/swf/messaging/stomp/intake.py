"""What has arrived for one subscription and waits for the runtime."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stompman import MessageFrame

from swf.core.destinations import is_topic
from swf.messaging.bus import Delivery, Subscription
from swf.messaging.stomp.names import Source
from swf.messaging.stomp.status import SubscriptionStatus

if TYPE_CHECKING:
    from swf.messaging.stomp.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """How a message is acknowledged: on the connection that it came by, and on no other."""

    session: Session
    ack: str


class Intake:
    """The messages of one subscription. Filled on the bus's thread, emptied on the runtime's.

    What has a header that names another namespace, and of a topic what has a type that the role does not handle, is
    acknowledged at once and goes no further. What has no such header goes to the decoder, which looks into the body.
    """

    def __init__(self, identity: str, subscription: Subscription, source: Source, prefetch: int) -> None:
        self.identity = identity
        self.subscription = subscription
        self.source = source
        self.prefetch = prefetch
        self.confirmed_by: Session | None = None
        self.refusal = ""
        self._waiting: deque[Delivery] = deque()
        self._arrived = self._foreign = self._unwanted = 0
        self._wanted = {"", *subscription.types} if is_topic(subscription.destination) else None

    def put(self, session: Session, frame: MessageFrame) -> bool:
        """Take a message in. Returns whether it now waits for the runtime."""
        self._arrived += 1
        headers: dict[str, str] = dict(frame.headers)  # type: ignore[arg-type]
        token = Token(session, headers.get("ack", ""))
        if headers.get("namespace", self.subscription.namespace) != self.subscription.namespace:
            self._foreign += 1
        elif self._wanted is not None and headers.get("msg_type", "") not in self._wanted:
            self._unwanted += 1
        else:
            redelivered = headers.get("redelivered") == "true"
            self._waiting.append(
                Delivery(subscription=self.subscription, body=frame.body, token=token, redelivered=redelivered)
            )
            return True
        session.acknowledge([token.ack])
        return False

    def take(self, limit: int) -> list[Delivery]:
        """Up to `limit` of those that wait, oldest first."""
        taken: list[Delivery] = []
        while len(taken) < limit:
            try:
                taken.append(self._waiting.popleft())
            except IndexError:  # emptied by the other thread: the connection was lost
                break
        return taken

    def forget(self) -> None:
        """The connection is lost: what waits will come again."""
        self._waiting.clear()

    def status(self) -> SubscriptionStatus:
        """The subscription at this moment."""
        session = self.confirmed_by
        return SubscriptionStatus(
            role=self.subscription.role,
            destination=self.subscription.destination,
            queue=self.source.destination,
            confirmed=session is not None and session.is_open,
            refusal=self.refusal,
            waiting=len(self._waiting),
            unacknowledged=session.unacknowledged(self.identity) if session is not None else 0,
            arrived=self._arrived,
            foreign=self._foreign,
            unwanted=self._unwanted,
        )
