"""Messages that could not be handled: the decision what becomes of each, and the operator's verbs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from swf.core.codec import MAX_BYTES
from swf.core.errors import IllegalMoveError, RetriableError, UnknownNameError
from swf.core.ids import id_from_content
from swf.messaging.turn import Identity
from swf.store.models import DeadLetter

MAX_ATTEMPTS = 6
"""How often a message is tried before it waits for an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A message and why it could not be handled. What could not be parsed has no id, type and run."""

    destination: str
    body: str
    error: Exception
    message_id: UUID | None = None
    msg_type: str = ""
    run_number: int | None = None


def next_try(error: Exception, attempts: int, now: datetime) -> datetime | None:
    """When a message that failed for the `attempts`-th time is tried again; None where it waits for an operator."""
    if not isinstance(error, RetriableError) or attempts >= MAX_ATTEMPTS:
        return None
    return now + timedelta(seconds=min(2.0 ** (attempts - 1), 60.0))


def keep(identity: Identity, failed: Failed, now: datetime) -> DeadLetter:
    """Keep a message that could not be handled; one that failed before counts one more attempt.

    Of one that is larger than any that is accepted, the beginning is kept.
    """
    letter, created = DeadLetter.objects.get_or_create(
        namespace=identity.namespace,
        role=identity.role,
        message_id=failed.message_id or id_from_content(failed.body),
        defaults={
            "destination": failed.destination,
            "msg_type": failed.msg_type,
            "run_number": failed.run_number,
            "body": failed.body[:MAX_BYTES],
            "error": type(failed.error).__name__,
            "reason": str(failed.error) or repr(failed.error),
            "created_at": now,
        },
    )
    if not created:
        letter.attempts += 1
        letter.error, letter.reason = type(failed.error).__name__, str(failed.error) or repr(failed.error)
    letter.redrive_at = next_try(failed.error, letter.attempts, now)
    letter.state = DeadLetter.State.RETRYING if letter.redrive_at else DeadLetter.State.PARKED
    letter.save()
    return letter


def due(identity: Identity, now: datetime, limit: int = 100) -> list[DeadLetter]:
    """The messages of a role that are to be tried again now."""
    return list(
        DeadLetter.objects.filter(
            namespace=identity.namespace, role=identity.role, state=DeadLetter.State.RETRYING, redrive_at__lte=now
        ).order_by("id")[:limit]
    )


def redrive(letter_id: int, who: str, now: datetime) -> DeadLetter:
    """Let a parked message be tried once more, at an operator's wish.

    Raises:
        UnknownNameError: there is no such dead letter.
        IllegalMoveError: it does not wait for an operator.
    """
    with transaction.atomic():
        letter = _parked(letter_id)
        letter.state, letter.redrive_at, letter.decided_by = DeadLetter.State.RETRYING, now, who
        letter.attempts = 0
        letter.save()
    return letter


def discard(letter_id: int, who: str, why: str) -> DeadLetter:
    """Give a parked message up, with a reason; it stays on record.

    Raises:
        UnknownNameError: there is no such dead letter.
        IllegalMoveError: it does not wait for an operator.
    """
    with transaction.atomic():
        letter = _parked(letter_id)
        letter.state, letter.decided_by = DeadLetter.State.DISCARDED, who
        letter.reason = f"{letter.reason}; discarded: {why}"
        letter.save()
    return letter


def _parked(letter_id: int) -> DeadLetter:
    try:
        letter = DeadLetter.objects.select_for_update().get(pk=letter_id)
    except DeadLetter.DoesNotExist:
        raise UnknownNameError(f"there is no dead letter {letter_id}; list them with: dead-letters list") from None
    if letter.state != DeadLetter.State.PARKED:
        raise IllegalMoveError(f"dead letter {letter_id} is {letter.state}; only a parked one waits for a decision")
    return letter
