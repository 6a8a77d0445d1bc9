"""The monitor's own figures for Prometheus: requests, how long they took, and readers of live events."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)


class Figures:
    """What a scrape of /metrics gets."""

    media_type: Final = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "swf_monitor_requests",
            "Requests that were answered.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "swf_monitor_request_seconds",
            "Time until a request was answered in full; live events are not counted.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refused = Counter(
            "swf_monitor_refused",
            "Requests that were refused before they were read.",
            ("why",),
            registry=self._registry,
        )
        self.stream_clients = Gauge("swf_monitor_stream_clients", "Readers of live events.", registry=self._registry)
        """Readers of live events; whoever serves them counts here."""
        self.streams_dropped = Counter(
            "swf_monitor_streams_dropped", "Readers of live events that were too slow.", registry=self._registry
        )
        self.stream_events = Counter(
            "swf_monitor_stream_events", "Events that readers of live events were sent.", registry=self._registry
        )

    def answered(self, route: str, method: str, status: int, seconds: float, *, stream: bool) -> None:
        """A request was answered."""
        # Anybody may send any word as a method: each would be a line of its own here.
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        if not stream:
            self._seconds.labels(route).observe(seconds)

    def refused(self, why: str) -> None:
        """A request was refused before it was read."""
        self._refused.labels(why).inc()

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)
