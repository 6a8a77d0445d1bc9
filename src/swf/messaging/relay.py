"""The relay: publishes what committed transactions put into the outbox, in order, each destination on its own."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from swf.core.effects import Boundary, no_boundary
from swf.core.errors import ServiceError
from swf.core.times import Clock
from swf.messaging.bus import Bus, Wire
from swf.messaging.outbox import wire_of
from swf.store import bulk
from swf.store.models import OutboxMessage, SystemAgent

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0
_MOST_FRESH = 2000
"""More messages than this are not kept in memory; their rows are read when their turn comes."""
_LOOK_S = 1.0
"""How often the rows are looked at by a relay that is told of all that is committed."""
_ABSENT_S = 60.0
"""An agent without a sign of life for this long is away: what it wanted sent is sent for it."""
_LOOK_FOR_ABSENT_S = 5.0


class Relay:
    """Publishes what the agents of one process want sent; each process has its own, so that no two publish the same.

    A row is taken away only when the broker has the message safely; a crash in between publishes it once more. A
    destination that the broker refuses waits with back-off and does not hold up the others.

    A relay that is `told` of all that is committed need not read it back.
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
        self._is_told = False
        self._fresh: deque[Wire] | None = None
        """What is left of what was committed since the outbox was empty, in order; None: only the rows can tell."""
        self._look_at = 0.0
        self.published = 0
        """Messages that the broker has confirmed since the start."""
        self.trouble = ""
        """What the broker said when it last took nothing; empty where it took something since."""

    def told(self, wires: Sequence[Wire] | None) -> None:
        """These were committed just now for its senders; None: it is not known what was.

        Who calls this calls it after each transaction of every sender, in their order, on the relay's thread.
        """
        self._is_told = True
        if wires is None or (self._fresh is not None and len(self._fresh) + len(wires) > _MOST_FRESH):
            self._fresh = None
        elif self._fresh is not None:
            self._fresh += wires

    def step(self) -> bool:
        """Publish up to one batch. Returns whether anything was published."""
        # Whatever fails in between, the rows tell what is left.
        fresh, self._fresh = self._fresh, None
        if fresh is None or self._clock.monotonic() >= self._look_at:
            return self._publish_rows()
        done = self._publish_all([fresh.popleft() for _ in range(min(len(fresh), self._batch))])
        if all(done):
            self._fresh = fresh
        return any(done)

    def _publish_rows(self) -> bool:
        waiting = OutboxMessage.objects.filter(sender__in=self._senders)
        pausing = [destination for destination in self._pauses if self._pausing(destination)]
        rows = list((waiting.exclude(destination__in=pausing) if pausing else waiting).order_by("id")[: self._batch])
        done = self._publish_all([wire_of(row) for row in rows])
        if self._is_told and all(done) and len(rows) < self._batch and not pausing:
            self._fresh, self._look_at = deque(), self._clock.monotonic() + _LOOK_S
        return any(done)

    def _publish_all(self, wires: Sequence[Wire]) -> list[bool]:
        """Of each destination, whether the broker has what goes there."""
        by_destination: defaultdict[str, list[Wire]] = defaultdict(list)
        for wire in wires:
            by_destination[wire.destination].append(wire)
        return [self._publish(destination, group) for destination, group in by_destination.items()]

    def _publish(self, destination: str, wires: Sequence[Wire]) -> bool:
        try:
            self._bus.publish(wires)
        except ServiceError as error:
            pause = min(self._pauses.get(destination, (_FIRST_PAUSE_S / 2, 0.0))[0] * 2, _LONGEST_PAUSE_S)
            self._pauses[destination] = (pause, self._clock.monotonic() + pause)
            self.trouble = str(error)
            return False
        self._boundary("published")
        self._pauses.pop(destination, None)
        bulk.delete(OutboxMessage, "message_id", [wire.message_id for wire in wires])
        self._boundary("marked_sent")
        self.published += len(wires)
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
