"""Registering STFs for agents that reach neither the broker nor the database: many at a time, once each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from swf.core.errors import IllegalMoveError, QuestionError
from swf.core.ids import IdSource
from swf.core.messages import Envelope, Message
from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.epic.agents.data import ROLE, Registration
from swf.epic.messages import StfGen
from swf.epic.models import StfFile
from swf.epic.run_settings import RunBook
from swf.epic.usecases.lookup import find_run
from swf.messaging.turn import Identity, Turn

MOST: Final = 1000
"""Most STFs of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Shown):
    """What became of a registration: the STFs that are new, and how many were there already with the same content."""

    run: int
    registered: tuple[str, ...]
    already: int


def register_stfs(
    run_number: int, stfs: Sequence[StfGen], who: str, scene: Scene, ids: IdSource, *, dry_run: bool = False
) -> Registered:
    """Register STFs of a run, as the data agent does with those that the DAQ announces: all of them, or none. The data
    agent verifies their files.

    Args:
        run_number: the run; the DAQ has announced it.
        stfs: their facts. One that is registered already with the same content is passed over.
        who: who registers them; the event log keeps it.
        scene: the present.
        ids: makes identities.
        dry_run: nothing is changed; what is returned is what would be.

    Raises:
        UnknownNameError: there is no such run.
        IllegalMoveError: it is closed.
        QuestionError: an STF is of another run, is named twice, or has no content that could be verified.
        DataError: an STF of that name is registered with another content, or its run ended with fewer STFs.
    """
    run = find_run(run_number, scene.namespaces)
    if run.closed_at is not None:
        raise IllegalMoveError(f"run {run_number} is closed: its account is final, and it takes no more STFs")
    _check(run_number, stfs)
    identity = Identity(name=f"rest-{who}"[:100], role=ROLE, namespace=run.namespace)
    with transaction.atomic():
        before = set(StfFile.objects.filter(name__in=[stf.filename for stf in stfs]).values_list("name", flat=True))
        turn = Turn(identity, scene.now, ids, next_seq=1)
        Registration(RunBook(), on_new=_nobody_waits).stf_gen(turn, list(_messages(turn, stfs)))
        new = tuple(stf.filename for stf in stfs if stf.filename not in before)
        for name in new:
            turn.note("stf_registered", name, run_number, by=who)
        turn.flush()
        transaction.set_rollback(dry_run)
    return Registered(run=run_number, registered=new, already=len(stfs) - len(new))


def _check(run_number: int, stfs: Sequence[StfGen]) -> None:
    seen: set[str] = set()
    for index, stf in enumerate(stfs):
        if stf.run_id != run_number:
            raise QuestionError(f"stfs.{index}.filename", f"{stf.filename} is of run {stf.run_id}, not of {run_number}")
        if stf.filename in seen:
            raise QuestionError(f"stfs.{index}.filename", f"{stf.filename} is named twice")
        if not stf.has_content:
            raise QuestionError(f"stfs.{index}.has_content", "an STF without content is announced over the broker only")
        seen.add(stf.filename)


def _messages(turn: Turn, stfs: Sequence[StfGen]) -> Iterator[Message[StfGen]]:
    for stf in stfs:
        envelope = Envelope(
            message_id=turn.ids.new(),
            namespace=turn.identity.namespace,
            sender=turn.identity.name,
            sender_seq=0,
            created_at=turn.now,
        )
        yield Message(envelope=envelope, body=stf)


def _nobody_waits() -> None:
    """The data agent looks for new STFs by itself."""
