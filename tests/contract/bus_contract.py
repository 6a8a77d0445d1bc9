"""What every bus adapter does, as tests. How to run them on an adapter of your own: docs/how-to/adapters.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from typing import Protocol
from uuid import UUID

import pytest
from django.db import transaction

from swf.messaging.bus import Bus, Delivery, Subscription, Wire

TOPIC, OTHER_TOPIC = "/topic/epictopic", "/topic/other"
QUEUE, OTHER_QUEUE = "/queue/panda.transformer.slices", "/queue/other"
TYPES = frozenset({"stf_gen", "end_run"})


class BusUnderTest(Protocol):
    """What an adapter's tests bring: a broker of its own for each test, empty at the start."""

    def connect(self) -> Bus:
        """A new connection to the same broker; the one before is gone, as after a crash."""
        ...

    def settle(self) -> None:
        """Wait until what was published before can be received. Nothing to do where that is at once."""
        ...


class BusContract:
    """The suite. A subclass has a fixture `broker` that gives a BusUnderTest."""

    @pytest.fixture
    def bus(self, broker: BusUnderTest) -> Bus:
        return broker.connect()

    def test_messages_of_a_destination_come_in_their_order(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            for first in (0, 40, 80):
                publish(bus, destination, [str(n) for n in range(first, first + 40)])
            broker.settle()
            assert received(bus, role, limit=7) == [str(n) for n in range(120)]

    def test_every_role_gets_each_message_of_a_topic_once(self, broker: BusUnderTest, bus: Bus) -> None:
        roles = [subscribed(bus, role, TOPIC) for role in ("data", "fastmon", "watcher")]
        publish(bus, TOPIC, ["a", "b", "c"])
        broker.settle()
        for role in roles:
            assert received(bus, role) == ["a", "b", "c"]
            assert received(bus, role) == []

    def test_a_role_gets_what_was_published_while_it_was_away(self, broker: BusUnderTest, bus: Bus) -> None:
        subscribed(bus, "data", TOPIC)
        publish(bus, TOPIC, ["before"])
        again = broker.connect()
        publish(again, TOPIC, ["while it was away"])
        role = subscribed(again, "data", TOPIC)
        publish(again, TOPIC, ["after"])
        broker.settle()
        assert received(again, role) == ["before", "while it was away", "after"]

    def test_what_was_published_before_a_role_first_subscribed_is_not_for_it(
        self, broker: BusUnderTest, bus: Bus
    ) -> None:
        old = subscribed(bus, "data", TOPIC)
        publish(bus, TOPIC, ["early"])
        broker.settle()
        new = subscribed(bus, "fastmon", TOPIC)
        publish(bus, TOPIC, ["late"])
        broker.settle()
        assert received(bus, old) == ["early", "late"]
        assert received(bus, new) == ["late"]

    def test_to_subscribe_again_loses_and_repeats_nothing(self, broker: BusUnderTest, bus: Bus) -> None:
        role = subscribed(bus, "data", TOPIC)
        publish(bus, TOPIC, ["a", "b"])
        broker.settle()
        acknowledge(bus, bus.receive(role, 1))
        bus.subscribe(role)
        assert received(bus, role) == ["b"]

    def test_a_message_of_a_queue_waits_for_the_first_consumer(self, broker: BusUnderTest, bus: Bus) -> None:
        publish(bus, QUEUE, ["a"])
        broker.settle()
        assert received(bus, subscribed(bus, "worker", QUEUE)) == ["a"]

    def test_a_message_of_a_queue_goes_to_one_consumer(self, broker: BusUnderTest, bus: Bus) -> None:
        one, other = subscribed(bus, "worker", QUEUE), subscribed(bus, "other_worker", QUEUE)
        publish(bus, QUEUE, [str(n) for n in range(10)])
        broker.settle()
        taken = [text(d) for _ in range(10) for role in (one, other) for d in bus.receive(role, 1)]
        assert sorted(taken) == [str(n) for n in range(10)]

    def test_what_was_acknowledged_does_not_come_again(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            publish(bus, destination, ["a", "b", "c", "d"])
            broker.settle()
            acknowledge(bus, bus.receive(role, 2))
        again = broker.connect()
        for destination in (TOPIC, QUEUE):
            assert received(again, subscribed(again, "data", destination)) == ["c", "d"]

    def test_what_was_not_acknowledged_comes_again_in_its_order(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            publish(bus, destination, ["a", "b", "c"])
            broker.settle()
            assert [text(d) for d in bus.receive(role, 10)] == ["a", "b", "c"]
        for _ in range(2):
            again = broker.connect()
            for destination in (TOPIC, QUEUE):
                role = subscribed(again, "data", destination)
                assert [text(d) for d in again.receive(role, 10)] == ["a", "b", "c"]

    def test_a_connection_that_lives_gets_a_message_only_once(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            publish(bus, destination, ["a"])
            broker.settle()
            assert [text(d) for d in bus.receive(role, 10)] == ["a"]
            publish(bus, destination, ["b"])
            broker.settle()
            assert [text(d) for d in bus.receive(role, 10)] == ["b"]

    def test_messages_of_a_queue_are_acknowledged_in_any_order(self, broker: BusUnderTest, bus: Bus) -> None:
        role = subscribed(bus, "worker", QUEUE)
        publish(bus, QUEUE, ["a", "b", "c", "d"])
        broker.settle()
        a, b, c, d = bus.receive(role, 10)
        acknowledge(bus, [d])
        acknowledge(bus, [b])
        again = broker.connect()
        assert received(again, subscribed(again, "worker", QUEUE)) == [text(a), text(c)]

    def test_to_acknowledge_twice_does_nothing(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            publish(bus, destination, ["a", "b"])
            broker.settle()
            first, second = bus.receive(role, 10)
            acknowledge(bus, [first, second])
            acknowledge(bus, [first])
        again = broker.connect()
        for destination in (TOPIC, QUEUE):
            assert received(again, subscribed(again, "data", destination)) == []

    def test_to_acknowledge_nothing_and_to_publish_nothing_does_nothing(self, bus: Bus) -> None:
        role = subscribed(bus, "data", TOPIC)
        acknowledge(bus, [])
        publish(bus, TOPIC, [])
        assert received(bus, role) == []

    def test_no_more_come_than_were_asked_for(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            publish(bus, destination, [str(n) for n in range(5)])
            broker.settle()
            assert bus.receive(role, 0) == []
            assert bus.receive(role, -1) == []
            assert [text(d) for d in bus.receive(role, 3)] == ["0", "1", "2"]
            assert [text(d) for d in bus.receive(role, 3)] == ["3", "4"]

    def test_a_topic_brings_every_message_of_the_wanted_types(self, broker: BusUnderTest, bus: Bus) -> None:
        role = subscribed(bus, "data", TOPIC, types=frozenset({"end_run"}))
        for msg_type in ("stf_gen", "end_run", "stf_ready", "end_run"):
            publish(bus, TOPIC, [f"{msg_type} body"], msg_type=msg_type)
        broker.settle()
        # Others may come as well: the runtime passes them over.
        assert [body for body in received(bus, role) if body.startswith("end_run")] == ["end_run body"] * 2

    def test_a_queue_brings_messages_of_every_type(self, broker: BusUnderTest, bus: Bus) -> None:
        role = subscribed(bus, "worker", QUEUE, types=frozenset({"slice"}))
        for msg_type in ("slice", "nobody_takes_this", "slice"):
            publish(bus, QUEUE, [msg_type], msg_type=msg_type)
        broker.settle()
        assert received(bus, role) == ["slice", "nobody_takes_this", "slice"]

    def test_namespaces_are_apart(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            ours = subscribed(bus, "data", destination)
            theirs = subscribed(bus, "data", destination, namespace="prod")
            publish(bus, destination, ["ours"])
            publish(bus, destination, ["theirs"], namespace="prod")
            broker.settle()
            assert received(bus, ours) == ["ours"]
            assert received(bus, theirs) == ["theirs"]

    def test_destinations_are_apart(self, broker: BusUnderTest, bus: Bus) -> None:
        roles = {d: subscribed(bus, "data", d) for d in (TOPIC, OTHER_TOPIC, QUEUE, OTHER_QUEUE)}
        for destination in roles:
            publish(bus, destination, [destination])
        broker.settle()
        for destination, role in roles.items():
            assert received(bus, role) == [destination]

    def test_a_body_arrives_as_it_was_sent(self, broker: BusUnderTest, bus: Bus) -> None:
        role = subscribed(bus, "data", TOPIC)
        bodies = ['{"a": "ü 😀 \\u0000"}', "{}", "x" * 900_000, " \n\t ", "a\r\nb"]
        publish(bus, TOPIC, bodies)
        broker.settle()
        assert received(bus, role) == bodies


class SharedDatabaseBusContract(BusContract):
    """The suite for an adapter whose sends and acknowledgements are part of the handlers' transaction."""

    def test_it_says_so(self, bus: Bus) -> None:
        assert bus.shares_database

    def test_an_acknowledgement_that_is_rolled_back_was_none(self, broker: BusUnderTest, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            publish(bus, destination, ["a"])
            with transaction.atomic():
                bus.ack(bus.receive(role, 1))
                transaction.set_rollback(True)
        again = broker.connect()
        for destination in (TOPIC, QUEUE):
            assert received(again, subscribed(again, "data", destination)) == ["a"]

    def test_a_message_that_is_rolled_back_was_not_sent(self, bus: Bus) -> None:
        for destination in (TOPIC, QUEUE):
            role = subscribed(bus, "data", destination)
            with transaction.atomic():
                publish(bus, destination, ["a"])
                transaction.set_rollback(True)
            publish(bus, destination, ["b"])
            assert received(bus, role) == ["b"]


_numbers = count(1)


def subscribed(
    bus: Bus, role: str, destination: str, *, namespace: str = "testbed", types: frozenset[str] = TYPES
) -> Subscription:
    """A role's subscription, made known to the bus."""
    subscription = Subscription(namespace=namespace, role=role, destination=destination, types=types)
    bus.subscribe(subscription)
    return subscription


def publish(
    bus: Bus, destination: str, bodies: Sequence[str], *, namespace: str = "testbed", msg_type: str = "stf_gen"
) -> None:
    """Publish messages with these bodies, in order, in one call."""
    bus.publish(
        [
            Wire(
                message_id=UUID(int=next(_numbers)),
                namespace=namespace,
                destination=destination,
                msg_type=msg_type,
                run_number=1,
                body=body,
            )
            for body in bodies
        ]
    )


def received(bus: Bus, subscription: Subscription, limit: int = 100) -> list[str]:
    """Everything that waits, taken in portions of at most `limit` and acknowledged."""
    bodies: list[str] = []
    while deliveries := bus.receive(subscription, limit):
        bodies += [text(delivery) for delivery in deliveries]
        acknowledge(bus, deliveries)
    return bodies


def acknowledge(bus: Bus, deliveries: Sequence[Delivery]) -> None:
    """Acknowledge as the runtime does: in the handlers' transaction, where the bus is part of it."""
    transactions: Callable[[], AbstractContextManager[object]] = (
        transaction.atomic if bus.shares_database else nullcontext
    )
    with transactions():
        bus.ack(deliveries)


def text(delivery: Delivery) -> str:
    """The body as text."""
    return delivery.body if isinstance(delivery.body, str) else delivery.body.decode()
