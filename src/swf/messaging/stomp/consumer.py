"""The consuming side: the subscriptions of a process on one connection. It lives on the bus's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from stompman import MessageFrame

from swf.core.errors import ServiceError
from swf.messaging.stomp import frames
from swf.messaging.stomp.intake import Intake
from swf.messaging.stomp.link import Link, OnEvent
from swf.messaging.stomp.status import SubscriptionStatus

if TYPE_CHECKING:
    from swf.messaging.stomp.session import Session


class Consumer:
    """Makes every subscription once on each connection, and hands what comes to its intake."""

    def __init__(self, *, timeout_s: float, on_ready: Callable[[], None], on_event: OnEvent) -> None:
        self._timeout_s = timeout_s
        self._on_ready = on_ready
        self._on_event = on_event
        self._intakes: dict[str, Intake] = {}
        self._one_at_a_time = asyncio.Lock()

    async def add(self, intake: Intake, link: Link) -> None:
        """Subscribe, now or as soon as there is a connection.

        Raises:
            ServiceError: the broker refuses this subscription.
        """
        self._intakes[intake.identity] = intake
        try:
            session = await link.session()
        except ServiceError:
            return
        await self._request(session, intake)
        if intake.refusal:
            raise ServiceError(intake.refusal)

    async def opened(self, session: Session) -> None:
        """A new connection: make all subscriptions."""
        for intake in list(self._intakes.values()):
            await self._request(session, intake)

    def message(self, session: Session, identity: str, frame: MessageFrame) -> None:
        """A message has come."""
        intake = self._intakes.get(identity)
        if intake is not None and intake.put(session, frame):
            self._on_ready()

    def lost(self) -> None:
        """The connection is lost: the broker gives out again what was not acknowledged."""
        for intake in self._intakes.values():
            intake.forget()

    def status(self) -> tuple[SubscriptionStatus, ...]:
        """The subscriptions at this moment."""
        return tuple(intake.status() for intake in list(self._intakes.values()))

    async def _request(self, session: Session, intake: Intake) -> None:
        async with self._one_at_a_time:
            if intake.confirmed_by is session:
                return
            data, receipt = frames.subscribe(intake.identity, intake.source, intake.prefetch)
            try:
                await session.request(data, receipt, self._timeout_s)
            except ServiceError as error:
                if session.is_open:  # otherwise it is made on the next connection
                    intake.refusal = f"{intake.source.destination} cannot be consumed: {error}"
                    self._on_event("subscription_refused", queue=intake.source.destination, reason=str(error))
            else:
                intake.confirmed_by, intake.refusal = session, ""


def by_session(tokens: Iterable[tuple[Session, str]]) -> dict[Session, list[str]]:
    """Acknowledgements of several messages, by the connection that each came by."""
    groups: dict[Session, list[str]] = {}
    for session, ack in tokens:
        groups.setdefault(session, []).append(ack)
    return groups
