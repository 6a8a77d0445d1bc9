"""Defects as they are made where agents meet a broker, each as a patch of a port or an adapter. Those of the rules
themselves are in `defects`, beside this folder."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from django.db.models import F
from stompman import MessageFrame

from swf.core.codec import Decoder
from swf.core.errors import ServiceError
from swf.core.messages import Body, Message
from swf.epic.agents import slice_results
from swf.epic.agents.leases import LeaseKeeper
from swf.epic.models import RunState
from swf.epic.run_counts import save_slice_moves
from swf.messaging.bus import Delivery, Subscription, Wire
from swf.messaging.relay import Relay
from swf.messaging.stomp import StompBus, frames
from swf.messaging.stomp.consumer import Consumer
from swf.messaging.stomp.intake import Intake
from swf.messaging.stomp.link import Link
from swf.messaging.stomp.names import Names, Source
from swf.messaging.stomp.producer import Producer
from swf.messaging.stomp.session import Session
from swf.messaging.turn import Turn
from swf.store.models import OutboxMessage
from swf.store.work import WorkMoves

Patch = pytest.MonkeyPatch


def acknowledges_before_the_commit(patch: Patch) -> None:
    """A delivery is acknowledged when it is received."""
    receive = StompBus.receive

    def eager(bus: StompBus, subscription: Subscription, limit: int) -> list[Delivery]:
        deliveries = receive(bus, subscription, limit)
        bus.ack(deliveries)
        return deliveries

    patch.setattr(StompBus, "receive", eager)


def never_acknowledges(patch: Patch) -> None:
    """Nothing is acknowledged."""
    patch.setattr(StompBus, "ack", lambda bus, deliveries: None)


def lets_the_broker_acknowledge(patch: Patch) -> None:
    """Subscriptions are made with `ack:auto`: what the broker has sent is gone there."""
    subscribe = frames.subscribe

    def automatic(identity: str, source: Source, prefetch: int) -> tuple[bytes, str]:
        data, receipt = subscribe(identity, source, prefetch)
        return data.replace(b"ack:client-individual", b"ack:auto"), receipt

    def nothing(session: Session, acks: Iterable[str]) -> None:
        session._unacknowledged.clear()
        session._counts.clear()

    patch.setattr(frames, "subscribe", automatic)
    patch.setattr(Session, "acknowledge", nothing)


def awaits_no_receipt(patch: Patch) -> None:
    """What was written to the socket counts as sent."""

    async def publish(producer: Producer, wires: Sequence[Wire], link: Link) -> None:
        session = await link.session()
        data, _ = frames.window(list(wires), producer._names, f"t{next(producer._transactions)}")
        session._writer.write(data)

    patch.setattr(Producer, "publish", publish)


def takes_for_confirmed_what_it_has_sent(patch: Patch) -> None:
    """The mark of what the broker has is moved before its receipt."""
    publish = Producer.publish

    async def marked(producer: Producer, wires: Sequence[Wire], link: Link) -> None:
        try:
            await publish(producer, wires, link)
        except ServiceError:
            producer._confirmed.update(wire.message_id for wire in wires)
            raise

    patch.setattr(Producer, "publish", marked)


def swallows_publish_errors(patch: Patch) -> None:
    """That the broker does not take messages is passed over."""
    publish = StompBus.publish

    def quiet(bus: StompBus, messages: Sequence[Wire]) -> None:
        with contextlib.suppress(ServiceError):
            publish(bus, messages)

    patch.setattr(StompBus, "publish", quiet)


def removes_before_publishing(patch: Patch) -> None:
    """The relay takes rows away, and then publishes them."""
    publish = Relay._publish

    def hasty(relay: Relay, destination: str, wires: Sequence[Wire]) -> bool:
        OutboxMessage.objects.filter(message_id__in=[wire.message_id for wire in wires]).delete()
        return publish(relay, destination, wires)

    patch.setattr(Relay, "_publish", hasty)


def sends_what_does_not_survive(patch: Patch) -> None:
    """Messages are not persistent."""
    message = frames.message

    def passing(wire: Wire, names: Names, transaction: str | None, receipt: str | None) -> bytes:
        return message(wire, names, transaction, receipt).replace(b"persistent:true", b"persistent:false")

    patch.setattr(frames, "message", passing)


def does_not_subscribe_again(patch: Patch) -> None:
    """Subscriptions are not made on a connection that is made anew."""

    async def opened(consumer: Consumer, session: Session) -> None:
        """Nothing is done."""

    patch.setattr(Consumer, "opened", opened)


def takes_what_is_for_others(patch: Patch) -> None:
    """Nobody looks which namespace a message is of."""
    put, decode = Intake.put, Decoder.decode

    def taken(intake: Intake, session: Session, frame: MessageFrame) -> bool:
        frame.headers["namespace"] = intake.subscription.namespace  # type: ignore[typeddict-unknown-key]
        return put(intake, session, frame)

    def read(decoder: Decoder, text: str | bytes, now: Any) -> Message[Body]:
        fields = json.loads(text)
        return decode(decoder, json.dumps({**fields, "namespace": decoder._namespace}), now)

    patch.setattr(Intake, "put", taken)
    patch.setattr(Decoder, "decode", read)


def never_looks_at_leases(patch: Patch) -> None:
    """A lease that has run out is nobody's business."""
    patch.setattr(LeaseKeeper, "step", lambda keeper, begin: False)


def counts_a_result_twice(patch: Patch) -> None:
    """A result is added to the figures of its run once more."""

    def save(turn: Turn, moves: WorkMoves, fields: Sequence[str] = ()) -> None:
        save_slice_moves(turn, moves, fields)
        for number in {move.item.run_number for move in moves.moves if move.target == "completed"}:
            RunState.objects.filter(pk=number).update(slices_completed=F("slices_completed") + 1)

    patch.setattr(slice_results, "save_slice_moves", save)
