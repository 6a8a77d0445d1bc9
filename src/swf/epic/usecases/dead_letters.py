"""Messages that could not be handled, for the operator who decides about them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from swf.core.errors import UnknownNameError
from swf.core.times import rfc3339
from swf.epic.usecases.lookup import in_namespace
from swf.messaging import dead_letters
from swf.store.models import DeadLetter

OPEN = (DeadLetter.State.RETRYING, DeadLetter.State.PARKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that could not be handled, why, and what becomes of it.

    `state` is retrying (tried again by itself at `redrive_at`), parked (waits for a decision), redriven (handled after
    all) or discarded (given up, by `decided_by`). `body` is the message as it was received.
    """

    id: int
    namespace: str
    role: str
    destination: str
    msg_type: str
    run: int | None
    error: str
    reason: str
    attempts: int
    state: str
    created: datetime
    redrive_at: datetime | None
    decided_by: str
    body: str

    def as_json(self) -> dict[str, Any]:
        """The letter as plain values."""
        redrive_at = None if self.redrive_at is None else rfc3339(self.redrive_at)
        return {**asdict(self), "created": rfc3339(self.created), "redrive_at": redrive_at}


def list_letters(namespace: str | None = None, *, every: bool = False) -> tuple[Letter, ...]:
    """The messages that could not be handled and wait, oldest first; with `every`, those that were decided as well."""
    rows = DeadLetter.objects.order_by("id")
    if namespace is not None:
        rows = rows.filter(namespace=namespace)
    return tuple(_letter(row) for row in (rows if every else rows.filter(state__in=OPEN)))


def show_letter(letter_id: int, namespace: str | None = None) -> Letter:
    """One message that could not be handled, as it was received, and why.

    Raises:
        UnknownNameError: there is no such dead letter.
    """
    return _letter(_row(letter_id, namespace))


def redrive_letter(letter_id: int, who: str, now: datetime, namespace: str | None = None) -> Letter:
    """Let a parked message be handled once more; the running process takes it up, or the next one that is started.

    Raises:
        UnknownNameError: there is no such dead letter.
        IllegalMoveError: it does not wait for a decision.
    """
    _row(letter_id, namespace)
    return _letter(dead_letters.redrive(letter_id, who, now))


def discard_letter(letter_id: int, who: str, reason: str, namespace: str | None = None) -> Letter:
    """Give a parked message up, with a reason; it stays on record.

    Raises:
        UnknownNameError: there is no such dead letter.
        IllegalMoveError: it does not wait for a decision.
    """
    _row(letter_id, namespace)
    return _letter(dead_letters.discard(letter_id, who, reason))


def _row(letter_id: int, namespace: str | None) -> DeadLetter:
    row = DeadLetter.objects.filter(pk=letter_id).first()
    if row is None:
        raise UnknownNameError(f"there is no dead letter {letter_id}; list them with: testbed dead-letters list --all")
    return in_namespace(row, namespace, f"dead letter {letter_id}")


def _letter(row: DeadLetter) -> Letter:
    return Letter(
        id=row.pk,
        namespace=row.namespace,
        role=row.role,
        destination=row.destination,
        msg_type=row.msg_type,
        run=row.run_number,
        error=row.error,
        reason=row.reason,
        attempts=row.attempts,
        state=row.state,
        created=row.created_at,
        redrive_at=row.redrive_at,
        decided_by=row.decided_by,
        body=row.body,
    )
