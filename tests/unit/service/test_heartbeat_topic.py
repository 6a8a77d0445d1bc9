"""Signs of life for listeners of older systems."""

from __future__ import annotations

import json
import os

from swf.core.errors import ServiceError
from swf.core.ids import CountingIds
from swf.core.times import ManualClock
from swf.messaging.bus import Subscription, Wire
from swf.messaging.memory import MemoryBus
from swf.messaging.turn import Identity
from swf.service.heartbeat_topic import HeartbeatTopic

TOPIC = "/topic/heartbeat"
DATA = Identity(name="data-agent-ann-1", role="data", namespace="torre1")
WORKER = Identity(name="worker-agent-ann-2", role="worker", namespace="torre1")


class BrokenBus(MemoryBus):
    """A broker that takes nothing."""

    def publish(self, messages: object) -> None:
        raise ServiceError("the broker is away")


def test_each_agent_says_what_older_agents_say() -> None:
    clock, bus = ManualClock(), MemoryBus()
    listener = Subscription(namespace="torre1", role="monitor", destination=TOPIC, types=frozenset())
    bus.subscribe(listener)
    topic = HeartbeatTopic(bus, TOPIC, [DATA, WORKER], ids=CountingIds(), clock=clock)
    assert topic.say(status="OK", operational_state="READY")
    first, second = (json.loads(delivery.body) for delivery in bus.receive(listener, 10))
    assert first == {
        "msg_type": "heartbeat",
        "sender": "data-agent-ann-1",
        "namespace": "torre1",
        "created_at": "2026-01-01T00:00:00.000000Z",
        "timestamp": "2026-01-01T00:00:00.000000Z",
        "instance_name": "data-agent-ann-1",
        "agent_type": "data",
        "status": "OK",
        "operational_state": "READY",
        "description": "data agent of namespace torre1",
        "mq_connected": True,
        "pid": os.getpid(),
        "hostname": first["hostname"],
    }
    assert (second["instance_name"], second["agent_type"]) == ("worker-agent-ann-2", "worker")


def test_what_the_broker_does_not_take_is_dropped() -> None:
    topic = HeartbeatTopic(BrokenBus(), TOPIC, [DATA], ids=CountingIds(), clock=ManualClock())
    assert not topic.say(status="EXITED", operational_state="EXITED")


def test_it_is_a_message_like_any_other_on_the_wire() -> None:
    sent: list[Wire] = []

    class Keeping(MemoryBus):
        def publish(self, messages: object) -> None:
            assert isinstance(messages, list)
            sent.extend(messages)

    HeartbeatTopic(Keeping(), TOPIC, [DATA], ids=CountingIds(), clock=ManualClock()).say(
        status="OK", operational_state="PROCESSING"
    )
    (wire,) = sent
    assert (wire.destination, wire.msg_type, wire.namespace, wire.run_number) == (TOPIC, "heartbeat", "torre1", None)
