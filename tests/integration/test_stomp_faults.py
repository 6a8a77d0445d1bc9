"""The bus over STOMP when things break: a real broker that is killed, and connections that are cut."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.activemq import NEEDED, ActiveMq, connections_to, free_ports, installed, pause
from services.stomp_bus import eventually, receive
from services.tcp_proxy import TcpProxy
from swf.core.errors import ServiceError
from swf.messaging.bus import Delivery, Subscription, Wire

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.messaging.stomp import StompBus, probe

pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)

TOPIC, QUEUE = "/topic/epictopic", "/queue/panda.transformer.slices"
WINDOW, BATCH = 64, 200


@pytest.fixture(scope="module")
def activemq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    with ActiveMq(tmp_path_factory.mktemp("activemq"), openwire=True) as broker:
        yield broker


@pytest.fixture
def own_activemq(tmp_path: Path) -> Iterator[ActiveMq]:
    with ActiveMq(tmp_path / "broker") as broker:
        yield broker


def role(name: str, destination: str = TOPIC, namespace: str = "faults") -> Subscription:
    return Subscription(namespace=namespace, role=name, destination=destination, types=frozenset({"stf_gen"}))


def wires(first: int, number: int, destination: str = TOPIC, namespace: str = "faults") -> list[Wire]:
    return [
        Wire(
            message_id=UUID(int=n),
            namespace=namespace,
            destination=destination,
            msg_type="stf_gen",
            run_number=1,
            body=str(n),
        )
        for n in range(first, first + number)
    ]


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.body) for delivery in deliveries]


def publish_as_the_relay_does(bus: StompBus, messages: list[Wire]) -> int:
    """Publish again and again until the broker has them. Returns how often it failed."""
    failures = 0
    while True:
        try:
            bus.publish(messages)
        except ServiceError:
            failures += 1
            pause(0.02)
        else:
            return failures


def test_a_broker_killed_during_publishing_loses_nothing_and_repeats_a_window_at_most(own_activemq: ActiveMq) -> None:
    kills, total = 3, 6000
    due = [threading.Event() for _ in range(kills)]

    def killer() -> None:
        for event in due:
            event.wait()
            own_activemq.kill()
            own_activemq.start()

    thread = threading.Thread(target=killer)
    with StompBus(own_activemq.settings(window=WINDOW, prefetch=total)) as bus:
        subscription = role("killed")
        bus.subscribe(subscription)
        thread.start()
        failures = 0
        for first in range(0, total, BATCH):
            if first and first % 1500 < BATCH:
                due[first // 1500 - 1].set()
            failures += publish_as_the_relay_does(bus, wires(first, BATCH))
        thread.join()
        assert failures >= kills
        got: list[int] = []

        def all_here() -> bool:
            deliveries = bus.receive(subscription, BATCH)
            bus.ack(deliveries)
            got.extend(numbers(deliveries))
            return set(got) == set(range(total))

        eventually(all_here, "every message comes")
    firsts = list(dict.fromkeys(got))
    assert firsts == list(range(total))
    assert len(got) - len(firsts) <= kills * WINDOW


def test_what_was_not_acknowledged_on_a_connection_that_was_cut_comes_again(activemq: ActiveMq) -> None:
    with TcpProxy(activemq.port) as proxy, StompBus(activemq.settings(port=proxy.port)) as bus:
        subscription = role("cut")
        bus.subscribe(subscription)
        bus.publish(wires(0, 10))
        first = receive(bus, subscription, 10)
        bus.ack(first[:4])
        eventually(lambda: bus.status().subscriptions[0].unacknowledged == 6, "four are acknowledged")
        with activemq.client() as client:
            eventually(lambda: client.statistics("Consumer.faults-cut.epictopic")["size"] == 6, "the broker knows")
        assert proxy.cut() == 2
        again = receive(bus, subscription, 6)
        assert numbers(again) == [4, 5, 6, 7, 8, 9]
        assert all(delivery.redelivered for delivery in again)
        # These belong to the connection that is gone: they must not take away what came since.
        bus.ack(first)
        bus.ack(again[:3])
        with activemq.client() as client:
            eventually(lambda: client.statistics("Consumer.faults-cut.epictopic")["size"] == 3, "the broker knows")
        proxy.cut()
        assert numbers(receive(bus, subscription, 3)) == [7, 8, 9]


def test_twenty_reconnects_leave_connections_consumers_and_threads_as_they_were(activemq: ActiveMq) -> None:
    with (
        TcpProxy(activemq.port) as proxy,
        StompBus(activemq.settings(port=proxy.port), chance=lambda: 0.0) as bus,
        activemq.client() as client,
    ):
        roles = [role("reconnect_a"), role("reconnect_b"), role("reconnect_c", QUEUE)]
        for subscription in roles:
            bus.subscribe(subscription)
        for turn in range(20):
            bus.publish(wires(turn, 1))
            for subscription in roles[:2]:
                delivery = receive(bus, subscription, 1)
                assert numbers(delivery) == [turn]
                bus.ack(delivery)
            for queue in ("Consumer.faults-reconnect_a.epictopic", "Consumer.faults-reconnect_b.epictopic"):
                eventually(lambda q=queue: client.statistics(q)["size"] == 0, "acknowledged")  # type: ignore[misc]
                assert client.statistics(queue)["consumerCount"] == 1
            assert client.statistics("faults.panda.transformer.slices")["consumerCount"] == 1
            eventually(lambda: connections_to(proxy.port) == 2, "one connection to consume and one to publish")
            assert sum(thread.name == "swf-bus" for thread in threading.enumerate()) == 1
            lives = bus.status().consumer.connections, bus.status().producer.connections
            assert lives == (turn + 1, turn + 1)
            proxy.cut()
            eventually(lambda n=turn: _ready_again(bus, n + 2), "connected again")  # type: ignore[misc]


def _ready_again(bus: StompBus, connections: int) -> bool:
    status = bus.status()
    return status.ready and (status.consumer.connections, status.producer.connections) == (connections, connections)


def test_a_broker_that_hangs_is_noticed_by_its_silence(activemq: ActiveMq) -> None:
    with TcpProxy(activemq.port) as proxy, StompBus(activemq.settings(port=proxy.port, heartbeat_s=0.2)) as bus:
        subscription = role("silence")
        bus.subscribe(subscription)
        proxy.stall()
        eventually(lambda: not bus.status().consumer.connected, "silence is noticed")
        assert "silent for 0.5 s" in bus.status().consumer.trouble
        proxy.flow()
        eventually(lambda: bus.status().ready, "connected again")
        publish_as_the_relay_does(bus, wires(0, 5))
        assert numbers(receive(bus, subscription, 5)) == [0, 1, 2, 3, 4]


def test_a_connection_on_which_nothing_is_said_stands(activemq: ActiveMq) -> None:
    with StompBus(activemq.settings(heartbeat_s=0.2)) as bus:
        bus.subscribe(role("idle"))
        pause(3.0)  # fifteen heartbeats, and six times as long as either side waits for one
        status = bus.status()
        assert status.ready
        assert (status.consumer.connections, status.producer.connections) == (1, 1)


def test_what_comes_in_single_bytes_is_understood(activemq: ActiveMq) -> None:
    with TcpProxy(activemq.port) as proxy, StompBus(activemq.settings(port=proxy.port)) as bus:
        proxy.slice_bytes = 1
        subscription = role("slices")
        bus.subscribe(subscription)
        bus.publish(wires(0, 5))
        assert numbers(receive(bus, subscription, 5)) == [0, 1, 2, 3, 4]


def test_a_connection_cut_in_the_middle_of_a_frame_loses_nothing(activemq: ActiveMq) -> None:
    with TcpProxy(activemq.port) as proxy, StompBus(activemq.settings(port=proxy.port)) as bus:
        subscription = role("frames")
        bus.subscribe(subscription)
        got: list[int] = []
        for turn, cut_after in enumerate((1, 40, 333, 1500)):
            proxy.cut_after = cut_after
            publish_as_the_relay_does(bus, wires(turn * 10, 10))

            def all_here(last: int = turn * 10 + 9) -> bool:
                deliveries = bus.receive(subscription, 10)
                bus.ack(deliveries)
                got.extend(numbers(deliveries))
                return last in got

            eventually(all_here, "the last one comes")
        assert list(dict.fromkeys(got)) == list(range(40))


def test_a_role_that_is_away_holds_up_nobody(own_activemq: ActiveMq) -> None:
    number, padding = 2000, "x" * 50_000
    with StompBus(own_activemq.settings()) as bus:
        away, here = role("away"), role("here")
        bus.subscribe(away)
    with StompBus(own_activemq.settings()) as bus:
        bus.subscribe(here)
        got: list[int] = []
        for first in range(0, number, BATCH):
            # In all more than the broker has memory for.
            bus.publish([replace(wire, body=json.dumps([int(wire.body), padding])) for wire in wires(first, BATCH)])
            drain(bus, here, got, first + BATCH)
        assert got == list(range(number))
        late: list[int] = []
        bus.subscribe(away)
        drain(bus, away, late, number)
        assert late == list(range(number))


def drain(bus: StompBus, subscription: Subscription, got: list[int], number: int) -> None:
    """Receive and acknowledge as messages come, until there are that many in all."""

    def enough() -> bool:
        deliveries = bus.receive(subscription, BATCH)
        bus.ack(deliveries)
        got.extend(json.loads(delivery.body)[0] for delivery in deliveries)
        return len(got) >= number

    eventually(enough, f"{number} messages for {subscription.role}")


def test_a_message_that_the_broker_drops_when_its_time_is_over(activemq: ActiveMq) -> None:
    with StompBus(activemq.settings()) as bus, activemq.client() as client:
        late = Wire(
            message_id=UUID(int=1),
            namespace="faults",
            destination="/queue/expiring",
            msg_type="slice",
            run_number=None,
            body="too late",
            expires_at=datetime(2020, 1, 1, tzinfo=UTC),
        )
        in_time = wires(1, 1, "/queue/expiring")
        bus.publish([late, *in_time])
        subscription = role("worker", "/queue/expiring")
        bus.subscribe(subscription)
        assert numbers(receive(bus, subscription, 1)) == [1]
        client.subscribe("/queue/DLQ.faults.expiring")
        assert client.receive().body == b"too late"


def test_a_bus_that_starts_before_its_broker_does_what_was_asked_of_it(tmp_path: Path) -> None:
    broker = ActiveMq(tmp_path / "broker")
    with StompBus(broker.settings()) as bus:
        subscription = role("early")
        bus.subscribe(subscription)
        with pytest.raises(ServiceError, match=r"nothing listens at 127\.0\.0\.1:\d+: start the broker.*ACTIVEMQ_PORT"):
            bus.publish(wires(0, 1))
        with broker:
            eventually(lambda: bus.status().ready, "connected and subscribed")
            bus.publish(wires(0, 1))
            assert numbers(receive(bus, subscription, 1)) == [0]


def test_a_wrong_password_is_named_as_such(activemq: ActiveMq) -> None:
    settings = activemq.settings(password="wrong")
    with pytest.raises(ServiceError, match=r"refused user 'agent'.*password is invalid.*ACTIVEMQ_PASSWORD"):
        probe(settings)
    with StompBus(settings) as bus:
        bus.subscribe(role("wrong"))
        with pytest.raises(ServiceError, match="refused user 'agent'"):
            bus.publish(wires(0, 1))
        assert not bus.status().ready


def test_a_user_may_do_what_its_role_needs_and_no_more(activemq: ActiveMq) -> None:
    with StompBus(activemq.settings("worker")) as bus:
        bus.subscribe(role("worker", QUEUE))
        bus.publish(wires(0, 3, QUEUE))
        assert numbers(receive(bus, role("worker", QUEUE), 3)) == [0, 1, 2]
        with pytest.raises(
            ServiceError, match=r"(?s)Consumer\.faults-worker\.epictopic cannot be consumed.*not authorized"
        ):
            bus.subscribe(role("worker", TOPIC))
        with pytest.raises(ServiceError, match="not authorized"):
            bus.publish(wires(0, 1, TOPIC))
        # In a window all or none, and the refusal is not lost among the others: the broker tells of the message, or of
        # the transaction that it spoiled, whichever of the two it comes to first.
        with pytest.raises(ServiceError, match=r"not authorized|marked rollback only"):
            bus.publish([*wires(10, 2, QUEUE), *wires(12, 1, TOPIC), *wires(13, 2, QUEUE)])
        publish_as_the_relay_does(bus, wires(20, 2, QUEUE))
        assert numbers(receive(bus, role("worker", QUEUE), 2)) == [20, 21]


def test_a_port_of_another_protocol_is_named_as_such(activemq: ActiveMq) -> None:
    with pytest.raises(ServiceError, match=r"speaks OpenWire, not STOMP.*61613.*ACTIVEMQ_PORT"):
        probe(activemq.settings(port=activemq.plan.openwire_port))
    (nobody,) = free_ports(1)
    with pytest.raises(ServiceError, match=rf"nothing listens at 127\.0\.0\.1:{nobody}"):
        probe(activemq.settings(port=nobody))


def test_of_several_brokers_the_one_that_is_there_is_used(activemq: ActiveMq) -> None:
    (nobody,) = free_ports(1)
    settings = activemq.settings(port=nobody, fallback_hosts=[f"127.0.0.1:{activemq.port}"])
    with StompBus(settings) as bus:
        eventually(lambda: bus.status().ready, "connected to the second one")
        assert bus.status().producer.server == f"127.0.0.1:{activemq.port}"
        assert connections_to(nobody) == 0
