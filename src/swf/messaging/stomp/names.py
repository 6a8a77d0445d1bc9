"""Names of destinations on the broker: where a message is sent, and which queue a role consumes.

    logical                         on ActiveMQ Classic
    /topic/epictopic, to send       /topic/epictopic
    /topic/epictopic, of a role     /queue/Consumer.<namespace>-<role>.epictopic   (virtual topic)
    /queue/panda.transformer.slices /queue/<namespace>.panda.transformer.slices
    /shared-queue/panda.results     /queue/panda.results, with a selector on the header `namespace`

A topic is common to all namespaces, as older agents know it by its plain name; each role of each namespace has a queue
of its own bound to it. Work queues of two namespaces are different queues, so that none takes the other's messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from swf.core.destinations import QUEUE, SHARED_QUEUE, TOPIC, is_topic
from swf.core.errors import ConfigError
from swf.core.names import is_namespace
from swf.messaging.bus import Subscription
from swf.messaging.settings import BrokerKind

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")
_ROLE = re.compile(r"[A-Za-z0-9_]+\Z")
_TAKEN = frozenset({"activemq", "consumer", "dlq"})
"""First parts of names that have a meaning on the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to subscribe to; `selector` is empty where everything is wanted."""

    destination: str
    selector: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names on one broker."""

    broker: BrokerKind = BrokerKind.ACTIVEMQ

    def target(self, destination: str, namespace: str) -> str:
        """Where a message of a namespace is sent.

        Raises:
            ConfigError: the destination or the namespace is no name.
        """
        name = _checked(destination, namespace)
        if is_topic(destination):
            return destination
        return f"{QUEUE}{name}" if _is_shared(destination) else f"{QUEUE}{namespace}.{name}"

    def source(self, subscription: Subscription) -> Source:
        """What a role consumes.

        Raises:
            ConfigError: the destination, the namespace or the role is no name.
        """
        destination, namespace = subscription.destination, subscription.namespace
        name = _checked(destination, namespace)
        if _is_shared(destination):
            return Source(destination=self.target(destination, namespace), selector=f"namespace = '{namespace}'")
        if not is_topic(destination):
            return Source(destination=self.target(destination, namespace))
        if not _ROLE.match(subscription.role):
            raise ConfigError(f"the role {subscription.role[:80]!r} is no name: expected A-Z a-z 0-9 _")
        queue = f"{namespace}-{subscription.role}"
        if self.broker is BrokerKind.ARTEMIS:
            return Source(destination=f"{name}::{queue}")
        return Source(destination=f"{QUEUE}Consumer.{queue}.{name}")


def _is_shared(destination: str) -> bool:
    return destination.startswith(SHARED_QUEUE)


@lru_cache(maxsize=256)
def _checked(destination: str, namespace: str) -> str:
    """The bare name of a destination."""
    if not is_namespace(namespace) or namespace.lower() in _TAKEN:
        raise ConfigError(f"the namespace {namespace[:80]!r} cannot be part of a queue's name: choose another one")
    kind = TOPIC if is_topic(destination) else SHARED_QUEUE if _is_shared(destination) else QUEUE
    name = destination.removeprefix(kind)
    if not _NAME.match(name):
        raise ConfigError(f"the destination {destination[:80]!r} is no name: expected A-Z a-z 0-9 _ - in parts with .")
    return name
