"""Messages through a bus whose consumer is lost again and again, some sent twice: nothing may be lost, and nothing may
take effect twice. Each is recorded by the agents' own runtime, in a store that is private to the test."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Final

from swf.core.codec import Decoder, parse_object
from swf.core.errors import MessageError, ServiceError
from swf.core.ids import IdSource
from swf.core.messages import Message, Vocabulary
from swf.core.times import Clock
from swf.messaging.agent import Agent
from swf.messaging.bus import Bus, Delivery, Wire
from swf.messaging.runtime import Runtime
from swf.messaging.turn import Turn
from swf.service.doctor.dropping import Drop, DroppedError, DroppingBus
from swf.service.doctor.loss_plan import LossPlan, Tally
from swf.service.doctor.note import ROLE, DoctorNote, Surgery
from swf.service.identity import enlist
from swf.store.models import DeadLetter, Event

_SEEN: Final = "doctor.seen"
_CHUNK: Final = 64
_LARGEST_BATCH: Final = 50
_QUIET_S: Final = 0.3
_KINDS: Final = (Drop.ON_RECEIPT, Drop.AT_THE_ACK)

OpenBus = Callable[[Callable[[], None]], AbstractContextManager[Bus]]
"""Connects, as a process does that starts; its argument is called when messages have arrived."""

Progress = Callable[[int, int], object]
"""Told how many messages were recorded, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Messages that are published together; `again` where each was sent before."""

    wires: list[Wire]
    again: bool = False


class LossTest:
    """One test. The store is open, and private to it.

    Args:
        open_bus: makes the connections.
        surgery: the namespace and the topic.
        told: told of progress.
    """

    def __init__(
        self,
        plan: LossPlan,
        open_bus: OpenBus,
        surgery: Surgery,
        *,
        clock: Clock,
        ids: IdSource,
        told: Progress = lambda recorded, of: None,
    ) -> None:
        self._plan = plan
        self._open_bus = open_bus
        self._surgery = surgery
        self._clock = clock
        self._ids = ids
        self._told = told
        self._identity = enlist(ROLE, "doctor", surgery.namespace, clock)
        self._arrived = threading.Event()
        self._outgoing: deque[_Chunk] = deque()
        self._sent = self._sent_twice = 0
        self._handled = self._repeats = self._foreign = self._drops = 0
        self._handed: set[int] = set()
        """Messages that were in hand at a drop."""
        self._progress_at = 0.0

    def run(self) -> Tally:
        """Do it. What is left on the bus is taken away, whatever the end was.

        Raises:
            ServiceError: the broker refuses the subscription.
        """
        self._empty()
        began = self._progress_at = self._clock.monotonic()
        try:
            while not self._life():
                self._drops += 1
            seconds = self._clock.monotonic() - began
        finally:
            self._empty()
        return self._tally(seconds)

    def _life(self) -> bool:
        """One life of a process that sends and takes. Returns whether it came to the end; False where it was lost."""
        with self._open_bus(self._arrived.set) as connected:
            bus = DroppingBus(connected)
            runtime = self._runtime(bus)
            if self._drops == 0 and not self._outgoing:
                # From here on: a role gets what is sent after its first subscription.
                self._prepare(repeats=not bus.shares_database)
            before = self._handled
            try:
                while self._step(bus, runtime, before):
                    pass
            except DroppedError:
                self._handed |= _numbers(bus.in_hand)
                return False
            finally:
                self._handled = before + runtime.counts.handled
                self._repeats += runtime.counts.repeated
                self._foreign += runtime.counts.foreign
        return True

    def _step(self, bus: DroppingBus, runtime: Runtime, before: int) -> bool:
        """Send a little, take a little. Returns whether there is more to do."""
        self._arrived.clear()
        sent = self._send(bus)
        if self._drops < self._plan.drops and before + runtime.counts.handled >= self._drop_at(self._drops):
            bus.next_drop = _KINDS[self._drops % len(_KINDS)]
        handled = runtime.counts.handled
        worked = runtime.step()
        if sent or runtime.counts.handled > handled:
            self._progress_at = self._clock.monotonic()
            self._told(before + runtime.counts.handled, self._plan.messages)
        if worked or sent:
            return True
        if not self._outgoing and before + runtime.counts.handled >= self._plan.messages:
            return self._arrived.wait(_QUIET_S)
        self._arrived.wait(0.1)
        return self._clock.monotonic() - self._progress_at < self._plan.patience_s

    def _send(self, bus: Bus) -> bool:
        if not self._outgoing:
            return False
        try:
            bus.publish(self._outgoing[0].wires)
        except ServiceError:  # a broker that is away is waited for, as agents do
            return False
        chunk = self._outgoing.popleft()
        if chunk.again:
            self._sent_twice += len(chunk.wires)
        else:
            self._sent += len(chunk.wires)
        return True

    def _drop_at(self, drop: int) -> int:
        """After how many messages a drop comes: evenly spread, none at the very end."""
        return (drop + 1) * self._plan.messages // (self._plan.drops + 1)

    def _prepare(self, *, repeats: bool) -> None:
        """All messages, in chunks; a part of them once more in a later chunk."""
        chance = random.Random(self._plan.seed)
        wires = [self._surgery.note(number, self._ids, self._clock) for number in range(self._plan.messages)]
        for start in range(0, len(wires), _CHUNK):
            chunk = wires[start : start + _CHUNK]
            self._outgoing.append(_Chunk(wires=chunk))
            again = [wire for wire in chunk if chance.random() < self._plan.repeated] if repeats else []
            if again:
                self._outgoing.append(_Chunk(wires=again, again=True))

    def _runtime(self, bus: Bus) -> Runtime:
        agent = Agent(role=ROLE, subscriptions=(self._surgery.topic,), handlers={DoctorNote: _record})
        decoder = Decoder(Vocabulary([DoctorNote]), self._surgery.namespace)
        # Small enough that there is something in hand at every drop.
        batch = max(min(self._plan.messages // (2 * self._plan.drops + 2), _LARGEST_BATCH), 1)
        return Runtime(agent, self._identity, bus=bus, decoder=decoder, clock=self._clock, ids=self._ids, batch=batch)

    def _empty(self) -> None:
        with self._open_bus(self._arrived.set) as bus:
            bus.subscribe(self._surgery.subscription)
            self._surgery.clear(bus, self._arrived)

    def _tally(self, seconds: float) -> Tally:
        effects = Counter(
            int(subject) for subject in Event.objects.filter(type=_SEEN).values_list("subject", flat=True)
        )
        known = [number for number in effects if number < self._plan.messages]
        return Tally(
            seed=self._plan.seed,
            sent=self._sent,
            unsent=self._plan.messages - self._sent,
            sent_twice=self._sent_twice,
            drops=self._drops,
            recorded=len(known),
            # They are sent in the order of their numbers.
            lost=self._sent - sum(number < self._sent for number in known),
            duplicated=sum(effects[number] > 1 for number in known),
            recovered=sum(effects[number] == 1 for number in self._handed),
            ended_in_the_inbox=self._repeats,
            unexpected=len(effects) - len(known) + self._foreign + DeadLetter.objects.count(),
            seconds=round(seconds, 3),
        )


def _record(turn: Turn, messages: Sequence[Message[Any]]) -> None:
    for message in messages:
        turn.note(_SEEN, str(message.body.number), None)


def _numbers(deliveries: Sequence[Delivery]) -> set[int]:
    """The numbers of messages; of one that cannot be read nobody knows it."""
    numbers = set()
    for delivery in deliveries:
        with suppress(MessageError, KeyError, TypeError, ValueError):
            numbers.add(int(parse_object(delivery.body)["number"]))
    return numbers
