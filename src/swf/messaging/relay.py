"""The relay: publishes what committed transactions put into the outbox, in order, each destination on its own."""

from __future__ import annotations

from swf.core.effects import Boundary, no_boundary
from swf.core.errors import ServiceError
from swf.core.times import Clock
from swf.messaging.bus import Bus, Wire
from swf.store.models import OutboxMessage

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0


class Relay:
    """Takes a row away only when the broker has the message safely; a crash in between publishes it once more.

    A destination that the broker refuses waits with back-off and does not hold up the others.
    """

    def __init__(
        self, bus: Bus, namespace: str, clock: Clock, *, batch: int = 200, boundary: Boundary = no_boundary
    ) -> None:
        self._bus = bus
        self._namespace = namespace
        self._clock = clock
        self._batch = batch
        self._boundary = boundary
        self._pauses: dict[str, tuple[float, float]] = {}
        """Per destination that failed: the length of its pause, and when it ends."""

    def step(self) -> bool:
        """Publish up to one batch per destination. Returns whether anything was published."""
        waiting = OutboxMessage.objects.filter(namespace=self._namespace)
        destinations = list(waiting.order_by().values_list("destination", flat=True).distinct())
        published = [self._publish(destination) for destination in destinations if not self._pausing(destination)]
        return any(published)

    def _publish(self, destination: str) -> bool:
        rows = list(
            OutboxMessage.objects.filter(namespace=self._namespace, destination=destination).order_by("id")[
                : self._batch
            ]
        )
        try:
            self._bus.publish([_wire(row) for row in rows])
        except ServiceError:
            pause = min(self._pauses.get(destination, (_FIRST_PAUSE_S / 2, 0.0))[0] * 2, _LONGEST_PAUSE_S)
            self._pauses[destination] = (pause, self._clock.monotonic() + pause)
            return False
        self._boundary("published")
        self._pauses.pop(destination, None)
        OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).delete()
        self._boundary("marked_sent")
        return bool(rows)

    def _pausing(self, destination: str) -> bool:
        return self._clock.monotonic() < self._pauses.get(destination, (0.0, 0.0))[1]


def _wire(row: OutboxMessage) -> Wire:
    return Wire(
        message_id=row.message_id,
        namespace=row.namespace,
        destination=row.destination,
        msg_type=row.msg_type,
        run_number=row.run_number,
        body=row.body,
        expires_at=row.expires_at,
        headers=row.headers or {},
    )
