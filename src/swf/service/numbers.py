"""Numbers that are given out once, to any number of processes and to programs outside."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from swf.core.plain import Shown
from swf.storage.high_water import HighWater
from swf.store.counters import reserve


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenNumber(Shown):
    """A number that is the caller's; nobody else gets it."""

    counter: str
    number: int


def next_run_number(highest: HighWater) -> int:
    """A run number that neither store of a data directory has used. It is taken with the transaction around this.

    Raises:
        StorageError: the file that both stores agree on cannot be written.
    """
    number = reserve("run", 1, above=highest.read())
    highest.note(number)
    return number


def give_run_number(highest: HighWater, *, dry_run: bool = False) -> GivenNumber:
    """Give a run number out. With `dry_run`, it is the one that would be given."""
    with transaction.atomic():
        number = reserve("run", 1, above=highest.read()) if dry_run else next_run_number(highest)
        transaction.set_rollback(dry_run)
    return GivenNumber(counter="run", number=number)


def give_number(counter: str, *, dry_run: bool = False) -> GivenNumber:
    """Give the next number of a counter out. With `dry_run`, it is the one that would be given."""
    with transaction.atomic():
        number = reserve(counter, 1)
        transaction.set_rollback(dry_run)
    return GivenNumber(counter=counter, number=number)
