"""What scenarios with faults on wires share: repetitions, a namespace for each, and what is left on the broker."""

from __future__ import annotations

import os
from itertools import count
from typing import Final

import pytest
from findings import Finding, lost

from services.activemq import ActiveMq
from swf.epic.messages import EPIC_TOPIC, LIVE_SLICE_QUEUE, RESULT_QUEUE, SLICE_QUEUE
from swf.messaging.bus import Subscription
from swf.messaging.stomp import Names

CONSUMED: Final = (
    *((role, EPIC_TOPIC) for role in ("data", "fastmon", "fast_processing")),
    ("worker", SLICE_QUEUE),
    ("worker", LIVE_SLICE_QUEUE),
    ("fast_processing", RESULT_QUEUE),
)
"""Which role takes what."""

_numbers = count(1)

repeated = pytest.mark.parametrize("repetition", range(int(os.environ.get("N") or 1)))
"""A scenario with chance in it is played so often (`make chaos N=20`)."""


def new_namespace() -> str:
    """A namespace that nobody has used before."""
    return f"wire{next(_numbers)}"


def queue_of(namespace: str, role: str, destination: str) -> str:
    """The name on the broker of what a role takes."""
    wanted = Subscription(namespace=namespace, role=role, destination=destination, types=frozenset())
    return Names().source(wanted).destination.removeprefix("/queue/")


def left_on_broker(broker: ActiveMq, namespace: str) -> list[Finding]:
    """What a run that is done has left in its queues, or what the broker put aside for it."""
    found = []
    with broker.client() as client:
        for role, destination in CONSUMED:
            queue = queue_of(namespace, role, destination)
            for name in (queue, f"DLQ.{queue}"):
                number = client.statistics(name).get("size", 0)
                if number:
                    found.append(lost(f"{number} messages are left in {name}"))
    return found
