"""The relay: publishes what committed transactions put into the outbox, in order, each destination on its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from swf.core.effects import Boundary, no_boundary
from swf.core.errors import ServiceError
from swf.core.times import Clock
from swf.messaging.bus import Bus
from swf.messaging.outbox import wire_of
from swf.store.models import OutboxMessage, SystemAgent

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0
_ABSENT_S = 60.0
"""An agent without a sign of life for this long is away: what it wanted sent is sent for it."""
_LOOK_FOR_ABSENT_S = 5.0


class Relay:
    """Publishes what the agents of one process want sent; each process has its own, so that no two publish the same.

    A row is taken away only when the broker has the message safely; a crash in between publishes it once more. A
    destination that the broker refuses waits with back-off and does not hold up the others.
    """

    def __init__(
        self, bus: Bus, senders: Sequence[str], clock: Clock, *, batch: int = 500, boundary: Boundary = no_boundary
    ) -> None:
        self._bus = bus
        self._senders = tuple(senders)
        self._clock = clock
        self._batch = batch
        self._boundary = boundary
        self._pauses: dict[str, tuple[float, float]] = {}
        """Per destination that failed: the length of its pause, and when it ends."""
        self.published = 0
        """Messages that the broker has confirmed since the start."""
        self.trouble = ""
        """What the broker said when it last took nothing; empty where it took something since."""

    def step(self) -> bool:
        """Publish up to one batch. Returns whether anything was published."""
        waiting = OutboxMessage.objects.filter(sender__in=self._senders)
        pausing = [destination for destination in self._pauses if self._pausing(destination)]
        rows = list((waiting.exclude(destination__in=pausing) if pausing else waiting).order_by("id")[: self._batch])
        by_destination: defaultdict[str, list[OutboxMessage]] = defaultdict(list)
        for row in rows:
            by_destination[row.destination].append(row)
        published = [self._publish(destination, group) for destination, group in by_destination.items()]
        return any(published)

    def _publish(self, destination: str, rows: list[OutboxMessage]) -> bool:
        try:
            self._bus.publish([wire_of(row) for row in rows])
        except ServiceError as error:
            pause = min(self._pauses.get(destination, (_FIRST_PAUSE_S / 2, 0.0))[0] * 2, _LONGEST_PAUSE_S)
            self._pauses[destination] = (pause, self._clock.monotonic() + pause)
            self.trouble = str(error)
            return False
        self._boundary("published")
        self._pauses.pop(destination, None)
        OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).delete()
        self._boundary("marked_sent")
        self.published += len(rows)
        self.trouble = ""
        return True

    def _pausing(self, destination: str) -> bool:
        return self._clock.monotonic() < self._pauses.get(destination, (0.0, 0.0))[1]


class AbsentRelay:
    """Publishes what agents of a namespace wanted sent that have gone since. One that comes back meanwhile may publish
    the same: readers take a message once."""

    def __init__(self, bus: Bus, namespace: str, clock: Clock) -> None:
        self._bus = bus
        self._namespace = namespace
        self._clock = clock
        self._look_at = 0.0

    def step(self) -> bool:
        """Publish up to one batch, now and then. Returns whether anything was published."""
        if self._clock.monotonic() < self._look_at:
            return False
        self._look_at = self._clock.monotonic() + _LOOK_FOR_ABSENT_S
        absent = _absent_senders(self._namespace, self._clock.now())
        return bool(absent) and Relay(self._bus, absent, self._clock).step()


def _absent_senders(namespace: str, now: datetime) -> list[str]:
    senders = list(
        OutboxMessage.objects.filter(namespace=namespace).order_by().values_list("sender", flat=True).distinct()
    )
    here = SystemAgent.objects.filter(pk__in=senders, last_heartbeat__gte=now - timedelta(seconds=_ABSENT_S)).exclude(
        status=SystemAgent.Status.EXITED
    )
    present = set(here.values_list("instance_name", flat=True))
    return [sender for sender in senders if sender not in present]
