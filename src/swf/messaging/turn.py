"""One turn of an agent: a database transaction, what it changes, and the messages that it sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from swf.core.codec import encode
from swf.core.ids import IdSource
from swf.core.messages import Body, Envelope
from swf.core.work import WorkTrigger
from swf.messaging.bus import Delivery, Wire
from swf.messaging.outbox import outbox_row
from swf.store import bulk, events
from swf.store.models import Event, OutboxMessage, SystemAgent
from swf.store.work import Moved, WorkMoves, transition_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which agent this is."""

    name: str
    role: str
    namespace: str
    start: int | None = field(default=None, compare=False)
    """Which of the agent's starts this process is; None where nobody counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a message is put for listeners outside, who read another envelope than ours."""

    encode: Callable[[Envelope, Body], str]
    headers: Mapping[str, str] = field(default_factory=dict)
    """What they choose by, beside the bus's own headers."""
    lifetime_s: float | None = None
    """After this nobody wants it any more, in seconds from now."""


OURS: Final = Form(encode=encode)
"""The flat envelope that every agent of this system reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How much was asked for in a turn so far."""

    events: int
    wires: int
    settled: int
    callbacks: int
    deferred: frozenset[UUID]
    next_seq: int


class Turn:
    """What a handler or reconciler may do in one transaction. Nothing leaves the process before the commit."""

    def __init__(self, identity: Identity, now: datetime, ids: IdSource, next_seq: int) -> None:
        self.identity = identity
        self.now = now
        self.ids = ids
        self.finished: list[Delivery] = []
        self.settled: list[UUID] = []
        self.deferred: set[UUID] = set()
        self._next_seq = next_seq
        self._events: list[dict[str, Any]] = []
        self._wires: list[Wire] = []
        self._callbacks: list[Callable[[], None]] = []

    def send(self, destination: str, body: Body, form: Form = OURS) -> None:
        """Send a message when the transaction commits; it is recorded in the event log at the same time.

        In another form than ours a message has no identity that its readers would know; so each has an instant of its
        own, a microsecond behind the one before.
        """
        envelope = Envelope(
            message_id=self.ids.new(),
            namespace=self.identity.namespace,
            sender=self.identity.name,
            sender_seq=self._next_seq,
            created_at=self.now if form is OURS else self.now + timedelta(microseconds=len(self._wires)),
        )
        self._next_seq += 1
        text = form.encode(envelope, body)
        wire = Wire(
            message_id=envelope.message_id,
            namespace=envelope.namespace,
            destination=destination,
            msg_type=body.msg_type,
            run_number=body.run_id,
            body=text,
            expires_at=None if form.lifetime_s is None else self.now + timedelta(seconds=form.lifetime_s),
            headers=form.headers,
        )
        self._wires.append(wire)
        self._events.append(
            {
                "kind": Event.Kind.MESSAGE,
                "type": body.msg_type,
                "namespace": envelope.namespace,
                "run_number": body.run_id,
                "execution_id": body.execution_id or "",
                "subject": subject_of(body),
                "sender": envelope.sender,
                "sender_seq": envelope.sender_seq,
                "destination": destination,
                "message_id": envelope.message_id,
                "created_at": envelope.created_at,
                "body": text,
            }
        )

    def moves(self) -> WorkMoves:
        """A set of work-item moves at this turn's instant."""
        return WorkMoves(self.ids, self.now)

    def record(self, moves: list[Moved]) -> None:
        """Put moves of work items into the event log."""
        self._events += transition_rows(moves, self.identity.name)

    def note(self, kind: str, subject: str, run_number: int | None, **fields: object) -> None:
        """Put another kind of transition into the event log."""
        self._events.append(
            {
                "kind": Event.Kind.TRANSITION,
                "type": kind,
                "namespace": self.identity.namespace,
                "run_number": run_number,
                "execution_id": "",
                "subject": subject,
                "sender": self.identity.name,
                "sender_seq": 0,
                "destination": "",
                "message_id": None,
                "created_at": self.now,
                "body": json.dumps(fields, default=str),
            }
        )

    def defer(self, message_id: UUID) -> None:
        """Do not acknowledge this message with the turn; a later turn will `settle` it."""
        self.deferred.add(message_id)

    def settle(self, message_id: UUID) -> None:
        """Acknowledge a message that an earlier turn deferred."""
        self.settled.append(message_id)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call this when the transaction has committed, and not otherwise. It must not touch the database."""
        self._callbacks.append(callback)

    def committed(self) -> None:
        """The transaction has committed."""
        for callback in self._callbacks:
            callback()

    def mark(self) -> Mark:
        """Where the turn is, for `rewind`."""
        return Mark(
            events=len(self._events),
            wires=len(self._wires),
            settled=len(self.settled),
            callbacks=len(self._callbacks),
            deferred=frozenset(self.deferred),
            next_seq=self._next_seq,
        )

    def rewind(self, mark: Mark) -> None:
        """Forget what was asked for since `mark`: its savepoint was rolled back."""
        del self._events[mark.events :], self._wires[mark.wires :], self.settled[mark.settled :]
        del self._callbacks[mark.callbacks :]
        self.deferred = set(mark.deferred)
        self._next_seq = mark.next_seq

    def flush(self) -> frozenset[str]:
        """Write the log and the outbox, as the last statements of the transaction. Returns the destinations."""
        events.append(self._events)
        if self._wires:
            bulk.insert(OutboxMessage, [outbox_row(wire, self.identity.name) for wire in self._wires])
            SystemAgent.objects.filter(pk=self.identity.name).update(sender_seq=self._next_seq - 1)
        return frozenset(wire.destination for wire in self._wires)

    @property
    def retried(self) -> int:
        """Work items that are put back into the queue because their attempt failed."""
        return sum(event["type"] == WorkTrigger.RETRY for event in self._events)

    @property
    def wires(self) -> Sequence[Wire]:
        """The messages that it sends, in their order."""
        return self._wires

    @property
    def next_seq(self) -> int:
        """The number that the agent's next message gets."""
        return self._next_seq


TurnFactory = Callable[[], AbstractContextManager[Turn]]
"""Opens a turn; leaving it commits, an exception rolls back."""


def subject_of(body: Body) -> str:
    """The name of the thing that a message tells of: its file or slice, where it has one."""
    for attribute in ("tf_filename", "filename"):
        name = getattr(body, attribute, None)
        if isinstance(name, str):
            return name
    return ""
