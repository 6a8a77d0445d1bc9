"""Figures of an agent's process for Prometheus: what it took, what waits, what was tried again, and its connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.db.models import Count, Min
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from swf.core.errors import ConfigError
from swf.core.times import Clock, Interval
from swf.core.work import WorkState
from swf.messaging.relay import Relay
from swf.messaging.runtime import Runtime
from swf.storage.atomic import atomic_file
from swf.store.models import DeadLetter, OutboxMessage, WorkItem

if TYPE_CHECKING:
    from swf.messaging.stomp import BusStatus

LOOK_S: Final = 5.0
"""How often the figures are taken that the database has."""

_OPEN_LETTERS: Final = (DeadLetter.State.RETRYING, DeadLetter.State.PARKED)


class AgentFigures(Collector):
    """The figures of one agent. Those of the database are taken by `step`, on the agent's own thread, and a scrape gets
    the latest.

    Args:
        runtime: the agent's.
        relay: what publishes for it.
        bus: how its connections are.
        namespace_too: whether the figures of the whole namespace are given as well; one agent's is enough.
    """

    def __init__(
        self,
        runtime: Runtime,
        relay: Relay,
        bus: Callable[[], BusStatus],
        clock: Clock,
        *,
        namespace_too: bool = False,
    ) -> None:
        self._runtime = runtime
        self._relay = relay
        self._bus = bus
        self._clock = clock
        self._namespace_too = namespace_too
        self._look = Interval(clock, LOOK_S)
        self._outbox = 0
        self._letters: dict[str, int] = {}
        self._items: dict[tuple[str, str], int] = {}
        self._oldest_s: dict[str, float] = {}

    def step(self) -> bool:
        """Take the database's figures, when it is time."""
        if self._look.is_over():
            identity = self._runtime.identity
            self._outbox = OutboxMessage.objects.filter(sender=identity.name).count()
            letters = DeadLetter.objects.filter(namespace=identity.namespace, role=identity.role)
            by_state = letters.filter(state__in=_OPEN_LETTERS).values_list("state").annotate(Count("id"))
            self._letters = dict.fromkeys(map(str, _OPEN_LETTERS), 0) | dict(by_state)
            if self._namespace_too:
                self._look_at_work(identity.namespace, self._clock.now())
        return False

    def collect(self) -> Iterator[Metric]:
        """What a scrape gets."""
        identity, counts = self._runtime.identity, self._runtime.counts
        names, own = ("agent", "role", "namespace"), (identity.name, identity.role, identity.namespace)

        taken = CounterMetricFamily("swf_messages", "Messages, by what became of them.", labels=(*names, "outcome"))
        for outcome in ("received", "handled", "repeated", "foreign", "failed"):
            taken.add_metric((*own, outcome), getattr(counts, outcome))
        yield taken
        retried = CounterMetricFamily("swf_retries", "Work items that failed and were queued again.", labels=names)
        retried.add_metric(own, counts.retried)
        yield retried
        yield _gauge(
            "swf_message_lag_seconds", "Age of the last message when it was handled.", names, own, counts.lag_s
        )
        yield _gauge("swf_outbox_messages", "Messages that wait to be published.", names, own, self._outbox)
        published = CounterMetricFamily(
            "swf_published_messages", "Messages that the broker has confirmed.", labels=names
        )
        published.add_metric(own, self._relay.published)
        yield published
        letters = GaugeMetricFamily("swf_dead_letters", "Messages that could not be handled.", labels=(*names, "state"))
        for state, number in self._letters.items():
            letters.add_metric((*own, state), number)
        yield letters
        yield from self._connections(names, own)
        yield from self._work(identity.namespace)

    def _connections(self, names: tuple[str, ...], own: tuple[str, ...]) -> Iterator[Metric]:
        status = self._bus()
        connected = GaugeMetricFamily("swf_broker_connected", "1 where it is connected.", labels=(*names, "purpose"))
        opened = CounterMetricFamily(
            "swf_broker_connections", "How often a connection was made.", labels=(*names, "purpose")
        )
        for purpose, link in (("consume", status.consumer), ("publish", status.producer)):
            connected.add_metric((*own, purpose), float(link.connected))
            opened.add_metric((*own, purpose), link.connections)
        yield connected
        yield opened
        outstanding = "Windows of messages that the broker has not confirmed yet."
        yield _gauge("swf_receipts_outstanding", outstanding, names, own, status.receipts_outstanding)
        waiting = GaugeMetricFamily(
            "swf_queue_messages", "Messages that arrived and are not acknowledged.", labels=(*names, "queue", "state")
        )
        arrived = CounterMetricFamily("swf_queue_arrived", "Messages that arrived.", labels=(*names, "queue"))
        for subscription in status.subscriptions:
            waiting.add_metric((*own, subscription.queue, "waiting"), subscription.waiting)
            held = subscription.unacknowledged - subscription.waiting
            waiting.add_metric((*own, subscription.queue, "handled"), max(held, 0))
            arrived.add_metric((*own, subscription.queue), subscription.arrived)
        yield waiting
        yield arrived

    def _work(self, namespace: str) -> Iterator[Metric]:
        if not self._namespace_too:
            return
        items = GaugeMetricFamily(
            "swf_work_items", "Work items that are not finished.", labels=("namespace", "kind", "state")
        )
        for (kind, state), number in self._items.items():
            items.add_metric((namespace, kind, state), number)
        yield items
        age = GaugeMetricFamily(
            "swf_work_oldest_seconds", "Age of the work item that waits longest.", labels=("namespace", "kind")
        )
        for kind, seconds in self._oldest_s.items():
            age.add_metric((namespace, kind), seconds)
        yield age

    def _look_at_work(self, namespace: str, now: datetime) -> None:
        for model in apps.get_models():
            if not issubclass(model, WorkItem):
                continue
            kind = model._meta.model_name or model.__name__.lower()
            of_namespace = model._default_manager.filter(namespace=namespace)
            queued = of_namespace.filter(status=WorkState.QUEUED.value)
            figures = queued.aggregate(number=Count("id"), oldest=Min("updated_at"))
            self._items[kind, WorkState.QUEUED.value] = figures["number"]
            self._items[kind, WorkState.PROCESSING.value] = of_namespace.filter(
                status=WorkState.PROCESSING.value
            ).count()
            oldest = figures["oldest"]
            self._oldest_s[kind] = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


@contextmanager
def serving(figures: Collector, host: str, port: int, targets: Path) -> Iterator[str]:
    """Answer scrapes on a thread until the end of the block; gives `host:port`.

    Args:
        figures: what is answered, beside what the Python process says of itself.
        host: where to listen.
        port: 0 means any that is free.
        targets: a file that tells Prometheus of this address (its `file_sd_configs`), removed at the end.

    Raises:
        ConfigError: the port is taken, or the host is none of this machine.
        StorageError: the file cannot be written.
    """
    registry = CollectorRegistry()
    for collector in (figures, PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise ConfigError(
            f"[metrics] port = {port}: {host}:{port} cannot be listened on: {error.strerror}; choose another one, or 0 "
            "for any that is free"
        ) from error
    address = f"{host}:{server.server_port}"
    try:
        with atomic_file(targets) as temporary:
            temporary.write_text(json.dumps([{"targets": [address], "labels": {"job": "swf"}}]), encoding="utf-8")
        yield address
    finally:
        targets.unlink(missing_ok=True)
        server.shutdown()
        server.server_close()
        thread.join()


def _gauge(name: str, text: str, labels: tuple[str, ...], values: tuple[str, ...], value: float) -> GaugeMetricFamily:
    made = GaugeMetricFamily(name, text, labels=labels)
    made.add_metric(values, value)
    return made
