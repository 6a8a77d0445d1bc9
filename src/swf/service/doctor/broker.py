"""The broker: whether it lets us in, gives every role its copy, and gives back what was refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto
from itertools import count
from typing import Final

from stompman import MessageFrame

from swf.core.errors import ServiceError, SwfError
from swf.core.ids import IdSource
from swf.core.times import Clock
from swf.messaging.bus import Delivery, Wire
from swf.messaging.settings import BusSection
from swf.messaging.stomp import Names, StompBus, probe
from swf.messaging.stomp import frames as stomp
from swf.messaging.stomp.access import access
from swf.messaging.stomp.dial import Trouble, dial
from swf.messaging.stomp.names import Source
from swf.messaging.stomp.session import Session
from swf.service.doctor.finding import Finding, failed, ok, warning
from swf.service.doctor.note import Surgery

PATIENCE_S: Final = 10.0
"""A broker that works needs milliseconds."""
_REDELIVERY_S: Final = 5.0
_CONFIGURATION: Final = "configure the broker as in docs/how-to/broker.md"


def findings(section: BusSection, surgery: Surgery, ids: IdSource, clock: Clock) -> Iterator[Finding]:
    """What is said of the broker."""
    try:
        for seen in probe(section):
            if seen.trouble:
                yield warning("broker", seen.trouble, "agents use another one of the group meanwhile")
            else:
                tls = ", with TLS" if section.use_ssl else ""
                yield ok("broker", f"{seen.endpoint} lets {section.user} in by STOMP 1.2{tls}")
    except SwfError as error:
        yield failed("broker", str(error))
        return
    try:
        with surgery.alone():
            with Ward(section, surgery) as ward:
                found = _fan_out(ward, ids, clock)
            yield found
            if not found.advice:
                yield _redelivery(section, surgery, surgery.note(1, ids, clock))
    except SwfError as error:
        yield failed("messages", str(error))


class Ward:
    """A bus with the doctor's subscription, which is left empty."""

    def __init__(self, section: BusSection, surgery: Surgery) -> None:
        self.surgery = surgery
        self._arrived = threading.Event()
        self.bus = StompBus(section, on_ready=self._arrived.set)

    def __enter__(self) -> Ward:
        self.bus.subscribe(self.surgery.subscription)
        self.surgery.clear(self.bus, self._arrived)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(SwfError):
            self.surgery.clear(self.bus, self._arrived)
        self.bus.close()

    def receive(self, clock: Clock) -> Delivery | None:
        """The next message; None where none comes."""
        deadline = clock.monotonic() + PATIENCE_S
        while not (taken := self.bus.receive(self.surgery.subscription, 1)):
            if clock.monotonic() > deadline:
                return None
            self._arrived.wait(0.1)
            self._arrived.clear()
        return taken[0]


def _fan_out(ward: Ward, ids: IdSource, clock: Clock) -> Finding:
    subject = "role queues"
    wire = ward.surgery.note(0, ids, clock)
    began = clock.monotonic()
    ward.bus.publish([wire])
    confirmed = clock.monotonic()
    delivery = ward.receive(clock)
    (status,) = ward.bus.status().subscriptions
    if delivery is None:
        found = f"a message to {wire.destination} was confirmed and did not come to {status.queue}"
        return failed(subject, found, f"the broker has no virtual topics for Consumer.*: {_CONFIGURATION}")
    ward.bus.ack([delivery])
    text = delivery.body if isinstance(delivery.body, str) else delivery.body.decode(errors="replace")
    if text != wire.body:
        return failed(
            subject, f"a message came changed to {status.queue}", "see what stands between here and the broker"
        )
    times = f"{(confirmed - began) * 1e3:.1f} ms to the receipt, {(clock.monotonic() - began) * 1e3:.1f} ms to the role"
    return ok(subject, f"a message to a topic comes to the role's queue; {times}")


class _Outcome(Enum):
    CAME_AGAIN = auto()
    DEAD_LETTER = auto()
    COMMON_DEAD_LETTER = auto()
    NOWHERE = auto()


def _redelivery(section: BusSection, surgery: Surgery, wire: Wire) -> Finding:
    """Refuse a message, and see what becomes of it."""
    subject = "redelivery"
    queue = Names(broker=section.broker).source(surgery.subscription)
    with StompBus(section) as bus:  # one that takes nothing
        bus.publish([wire])
    match asyncio.run(_refuse(section, queue)):
        case _Outcome.CAME_AGAIN:
            return ok(subject, "a message that was refused comes again after a while")
        case _Outcome.DEAD_LETTER:
            found = "a message that was refused goes to its dead-letter queue at once"
            return warning(subject, found, f"the broker has no redelivery: {_CONFIGURATION}")
        case _Outcome.COMMON_DEAD_LETTER:
            found = "a message that was refused goes at once to one dead-letter queue for all, ActiveMQ.DLQ"
            return warning(subject, found, f"the broker has neither redelivery nor a DLQ per queue: {_CONFIGURATION}")
        case _Outcome.NOWHERE:
            found = f"a message that was refused did not come again within {_REDELIVERY_S:g} s, nor to DLQ queues"
            return warning(subject, found, f"see what the broker does with such messages, or {_CONFIGURATION}")


async def _refuse(section: BusSection, queue: Source) -> _Outcome:
    way_in = access(section)
    session = await dial(way_in.endpoints[0], way_in)
    if isinstance(session, Trouble):
        raise ServiceError(session.text)
    arrived: asyncio.Queue[MessageFrame] = asyncio.Queue()
    listening = asyncio.create_task(session.listen(lambda at, identity, frame: arrived.put_nowait(frame)))
    try:
        return await _refused(session, queue, arrived, section.receipt_timeout_s)
    finally:
        await session.close(2.0)
        await listening


async def _refused(session: Session, queue: Source, arrived: asyncio.Queue[MessageFrame], receipt_s: float) -> _Outcome:
    numbers = count()

    async def next_from(source: Source, patience_s: float) -> MessageFrame | None:
        if source.destination not in subscribed:
            subscribed.add(source.destination)
            try:
                await session.request(*stomp.subscribe(f"d{next(numbers)}", source, 1), receipt_s)
            except ServiceError:  # this user may not read there
                return None
        try:
            return await asyncio.wait_for(arrived.get(), patience_s)
        except TimeoutError:
            return None

    subscribed: set[str] = set()
    first = await next_from(queue, PATIENCE_S)
    if first is None:
        return _Outcome.NOWHERE
    await session.request(stomp.refusal(first.headers["ack"], "refused"), "refused", receipt_s)
    dead = f"/queue/DLQ.{queue.destination.removeprefix('/queue/')}"
    message_id = first.headers.get("message_id", "")
    places = (
        (queue, _REDELIVERY_S, _Outcome.CAME_AGAIN),
        (Source(destination=dead), 0.5, _Outcome.DEAD_LETTER),
        (
            Source(destination="/queue/ActiveMQ.DLQ", selector=f"message_id = '{message_id}'"),
            0.5,
            _Outcome.COMMON_DEAD_LETTER,
        ),
    )
    for source, patience_s, outcome in places:
        frame = await next_from(source, patience_s)
        if frame is not None:
            session.acknowledge([frame.headers["ack"]])
            return outcome
    return _Outcome.NOWHERE
