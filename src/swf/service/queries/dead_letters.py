"""Messages that could not be handled, for the operator who decides about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.messaging import dead_letters
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter, instant, words
from swf.store.listing import Listing, both
from swf.store.models import DeadLetter

OPEN = (DeadLetter.State.RETRYING, DeadLetter.State.PARKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter(Shown):
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


def show_letter(letter_id: int, scene: Scene) -> Letter:
    """One message that could not be handled, as it was received, and why.

    Raises:
        UnknownNameError: there is no such dead letter.
    """
    return _letter(_row(letter_id, scene))


def redrive_letter(letter_id: int, who: str, scene: Scene, *, dry_run: bool = False) -> Letter:
    """Let a parked message be handled once more; the running process takes it up, or the next one that is started.

    With `dry_run` nothing is changed; what is returned is how it would be.

    Raises:
        UnknownNameError: there is no such dead letter.
        IllegalMoveError: it does not wait for a decision.
    """
    _row(letter_id, scene)
    with transaction.atomic():
        letter = dead_letters.redrive(letter_id, who, scene.now)
        transaction.set_rollback(dry_run)
    return _letter(letter)


def discard_letter(letter_id: int, who: str, reason: str, scene: Scene, *, dry_run: bool = False) -> Letter:
    """Give a parked message up, with a reason; it stays on record.

    With `dry_run` nothing is changed; what is returned is how it would be.

    Raises:
        UnknownNameError: there is no such dead letter.
        IllegalMoveError: it does not wait for a decision.
    """
    _row(letter_id, scene)
    with transaction.atomic():
        letter = dead_letters.discard(letter_id, who, reason)
        transaction.set_rollback(dry_run)
    return _letter(letter)


def _row(letter_id: int, scene: Scene) -> DeadLetter:
    row = DeadLetter.objects.filter(pk=letter_id).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(
            f"there is no dead letter {letter_id} {here(scene.namespaces)}; list them with: testbed dead-letters list "
            "--all"
        )
    return row


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


def _lines(rows: Sequence[DeadLetter], scene: Scene) -> list[Letter]:
    return [_letter(row) for row in rows]


LETTERS = Listing(
    name="dead-letters",
    text="Messages that could not be handled, the newest first.",
    rows=DeadLetter.objects.all,
    lines=_lines,
    line=Letter,
    filters={
        "namespace": of_namespace(),
        "state": words("In this state.", "state", DeadLetter.State.values),
        "role": Filter(text="That an agent of this role could not handle.", lookup="role"),
        "type": Filter(text="Of this type.", lookup="msg_type"),
        "run": of_run(),
        "error": Filter(text="That failed by this error.", lookup="error"),
        "since": instant("Kept at this instant or later.", "created_at__gte"),
        "until": instant("Kept before this instant.", "created_at__lt"),
    },
    orders=both("id"),
)
