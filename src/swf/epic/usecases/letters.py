"""Dead letters that concern a run or a file."""

from __future__ import annotations

from swf.store.models import DeadLetter

OPEN = (DeadLetter.State.RETRYING, DeadLetter.State.PARKED)


def open_letters(run_number: int) -> list[DeadLetter]:
    """The messages of a run that are not handled yet."""
    return list(DeadLetter.objects.filter(run_number=run_number, state__in=OPEN).order_by("id"))


def letters_about(name: str) -> list[DeadLetter]:
    """The messages that name this file and are not handled yet, or were given up."""
    states = (*OPEN, DeadLetter.State.DISCARDED)
    return list(DeadLetter.objects.filter(body__contains=name, state__in=states).order_by("id"))


def said_of(letter: DeadLetter) -> str:
    """What became of a message that could not be handled."""
    what = f"The message {letter.msg_type or 'of unknown type'} to {letter.role} could not be handled"
    match letter.state:
        case DeadLetter.State.PARKED:
            then = f"it waits for a decision as dead letter {letter.pk}"
        case DeadLetter.State.RETRYING:
            then = f"it is tried again by itself (dead letter {letter.pk}, {letter.attempts} attempts so far)"
        case _:
            then = f"it was given up by {letter.decided_by or 'an operator'} (dead letter {letter.pk})"
    return f"{what}: {letter.reason.rstrip('.')}; {then}."
