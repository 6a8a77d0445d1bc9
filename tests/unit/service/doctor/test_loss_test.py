"""The loss test finds nothing on a bus that keeps its promises, and finds what a bus does that breaks them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from swf.core.errors import ServiceError
from swf.core.ids import Uuid7Source
from swf.core.times import SystemClock
from swf.messaging.bus import Bus, Delivery, Subscription, Wire
from swf.messaging.embedded import EmbeddedBus
from swf.messaging.memory import MemoryBus
from swf.service.doctor.dropping import Drop, DroppedError, DroppingBus
from swf.service.doctor.loss_plan import LossPlan, Tally
from swf.service.doctor.loss_test import LossTest
from swf.service.doctor.note import Surgery
from swf.store.models import OutboxMessage

CLOCK = SystemClock()
IDS = Uuid7Source(CLOCK)
SURGERY = Surgery(identity="test")
PLAN = LossPlan(messages=600, seed=3, drops=6, repeated=0.1, patience_s=0.3)

OpenBus = Callable[[Callable[[], None]], AbstractContextManager[Bus]]


def tally(open_bus: OpenBus, plan: LossPlan = PLAN) -> Tally:
    return LossTest(plan, open_bus, SURGERY, clock=CLOCK, ids=IDS).run()


def broker(bus: MemoryBus) -> OpenBus:
    """Whoever connects gets what was not acknowledged once more."""

    @contextmanager
    def connect(arrived: Callable[[], None]) -> Iterator[Bus]:
        bus.redeliver()
        yield bus

    return connect


@pytest.mark.usefixtures("store")
def test_a_bus_that_keeps_its_promises_passes() -> None:
    found = tally(broker(MemoryBus()))
    assert found.passed
    assert (found.sent, found.recorded, found.lost, found.duplicated, found.unexpected) == (600, 600, 0, 0, 0)
    assert found.drops == 6
    assert found.sent_twice > 20
    assert found.recovered > 0
    assert found.ended_in_the_inbox > found.sent_twice
    assert found.as_json()["passed"] is True


@pytest.mark.usefixtures("store")
def test_the_same_seed_chooses_the_same_messages() -> None:
    first, second = tally(broker(MemoryBus())), tally(broker(MemoryBus()))
    assert first.sent_twice == second.sent_twice


@pytest.mark.usefixtures("store")
def test_the_embedded_bus_passes_and_is_left_empty() -> None:
    @contextmanager
    def connect(arrived: Callable[[], None]) -> Iterator[Bus]:
        yield EmbeddedBus(CLOCK)

    found = tally(connect)
    assert (found.recorded, found.drops, found.sent_twice, found.passed) == (600, 6, 0, True)
    assert found.recovered > 0


class Forgetful(MemoryBus):
    """What was received does not come again."""

    def redeliver(self) -> int:
        self._unacked.clear()
        return 0


@pytest.mark.usefixtures("store")
def test_messages_that_are_lost_are_found() -> None:
    found = tally(broker(Forgetful()))
    assert not found.passed
    assert found.lost > 0
    assert found.recorded + found.lost == 600
    assert found.duplicated == 0


class Renaming(MemoryBus):
    """What comes again comes under another identity, so that nobody can know it."""

    def publish(self, messages: Sequence[Wire]) -> None:
        super().publish([self._renamed(wire) for wire in messages])

    @staticmethod
    def _renamed(wire: Wire) -> Wire:
        body = {**json.loads(wire.body), "message_id": str(IDS.new())}
        return replace(wire, body=json.dumps(body))


@pytest.mark.usefixtures("store")
def test_messages_that_take_effect_twice_are_found() -> None:
    found = tally(broker(Renaming()))
    assert not found.passed
    assert found.lost == 0
    assert found.duplicated == found.sent_twice > 0


class Garbling(MemoryBus):
    """One message in a hundred is cut off."""

    def publish(self, messages: Sequence[Wire]) -> None:
        super().publish([replace(wire, body=wire.body[:-9]) if self._is_it(wire) else wire for wire in messages])

    @staticmethod
    def _is_it(wire: Wire) -> bool:
        return int(json.loads(wire.body)["number"]) % 100 == 50


@pytest.mark.usefixtures("store")
def test_messages_that_cannot_be_read_are_lost_and_unexpected() -> None:
    found = tally(broker(Garbling()))
    assert (found.lost, found.passed) == (6, False)
    assert found.unexpected == 6


class Full(MemoryBus):
    """Takes so many messages, and refuses the others."""

    room = 200

    def publish(self, messages: Sequence[Wire]) -> None:
        if len(messages) > self.room:
            raise ServiceError("no room")
        self.room -= len(messages)
        super().publish(messages)


@pytest.mark.usefixtures("store")
def test_what_the_broker_did_not_take_is_not_called_lost() -> None:
    found = tally(broker(Full()))
    assert (found.passed, found.lost) == (False, 0)
    assert found.unsent == 600 - found.sent > 400


@pytest.mark.usefixtures("store")
def test_what_an_earlier_visit_left_is_taken_away_first() -> None:
    bus = MemoryBus()
    bus.subscribe(SURGERY.subscription)
    bus.publish([SURGERY.note(1_000_000, IDS, CLOCK)])
    assert tally(broker(bus)).unexpected == 0


@pytest.mark.usefixtures("store")
def test_nothing_is_left_on_the_bus() -> None:
    bus = MemoryBus()
    tally(broker(bus))
    bus.redeliver()
    assert bus.receive(SURGERY.subscription, 10) == []
    assert not OutboxMessage.objects.exists()


def test_a_bus_is_lost_where_it_was_told() -> None:
    under = MemoryBus()
    bus = DroppingBus(under)
    subscription: Subscription = SURGERY.subscription
    bus.subscribe(subscription)
    bus.publish([SURGERY.note(n, IDS, CLOCK) for n in range(3)])
    first: list[Delivery] = bus.receive(subscription, 1)
    bus.ack(first)
    assert bus.in_hand == []
    bus.next_drop = Drop.AT_THE_ACK
    second = bus.receive(subscription, 1)
    with pytest.raises(DroppedError):
        bus.ack(second)
    bus.next_drop = Drop.ON_RECEIPT
    with pytest.raises(DroppedError):
        bus.receive(subscription, 1)
    assert [json.loads(delivery.body)["number"] for delivery in bus.in_hand] == [1, 2]
    assert under.redeliver() == 2


def test_what_is_sent_can_be_told_from_anything_else(tmp_path: Path) -> None:
    surgery = Surgery.of(tmp_path)
    wire = surgery.note(7, IDS, CLOCK)
    body = json.loads(wire.body)
    assert (body["said_by"], body["data"], body["sender"]) == ("DOCTOR", "SIMULATED", "DOCTOR")
    assert wire.headers == {"data": "SIMULATED"}
    assert wire.namespace == body["namespace"] == f"doctor-{surgery.identity}"
    assert wire.destination == f"/topic/swf.doctor.{surgery.identity}"
    assert wire.expires_at is not None
    assert surgery == Surgery.of(tmp_path)
    assert surgery != Surgery.of(tmp_path / "other")


@pytest.mark.parametrize(("messages", "drops"), [(10, 4), (2000, 8), (1_000_000, 40)])
def test_longer_tests_drop_more_often(messages: int, drops: int) -> None:
    assert LossPlan.of(messages, 1).drops == drops
