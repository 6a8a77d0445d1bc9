"""Kinds of destinations on the bus: a topic goes to every role that subscribes, a queue to one consumer.

A shared queue is one of programs outside, which know it by its plain name whatever the namespace.
"""

from __future__ import annotations

TOPIC = "/topic/"
QUEUE = "/queue/"
SHARED_QUEUE = "/shared-queue/"


def is_topic(destination: str) -> bool:
    """Whether every subscribed role gets each message of `destination`.

    Raises:
        ValueError: it is neither a topic nor a queue.
    """
    if destination.startswith(TOPIC):
        return True
    if destination.startswith((QUEUE, SHARED_QUEUE)):
        return False
    raise ValueError(f"the destination {destination!r} must start with {TOPIC}, {QUEUE} or {SHARED_QUEUE}")
