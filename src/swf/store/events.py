"""The event log: adding rows at its end, and reading it with a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Max, QuerySet

from swf.store import bulk
from swf.store.models import Event

MOST: Final = 1000
"""Most rows that one reading gives."""

_NUMBERED_BY_SQLITE: Final = (("seq", "(SELECT seq + 1 FROM sqlite_sequence WHERE name = 'store_event')"),)
"""The id that the row will have (https://sqlite.org/autoinc.html). In an empty log there is none yet: then the trigger
of the table numbers the row. It could number all, but each number that comes later moves the row in four indexes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which rows a reader wants. What is None or empty is not asked for."""

    namespace: str | None = None
    run_number: int | None = None
    execution_id: str | None = None
    subject: str | None = None
    sender: str | None = None
    kind: Event.Kind | None = None
    types: frozenset[str] = frozenset()
    namespaces: frozenset[str] | None = None
    """Those that may be seen; None: all. Other than what is wanted, an empty set leaves nothing."""

    def rows(self) -> QuerySet[Event]:
        """The rows, in no order."""
        exact = {name: getattr(self, name) for name in _EXACT if getattr(self, name) is not None}
        rows = Event.objects.filter(**exact)
        if self.namespaces is not None:
            rows = rows.filter(namespace__in=sorted(self.namespaces))
        return rows.filter(type__in=sorted(self.types)) if self.types else rows

    def has(self, row: Event) -> bool:
        """Whether it leaves a row that was read already."""
        if self.namespaces is not None and row.namespace not in self.namespaces:
            return False
        if self.types and row.type not in self.types:
            return False
        return all(getattr(self, name) in (None, getattr(row, name)) for name in _EXACT)


_EXACT: Final = ("namespace", "run_number", "execution_id", "subject", "sender", "kind")

ALL: Final = EventFilter()
"""Every row."""


def append(rows: Sequence[bulk.Row]) -> None:
    """Add rows at the end of the log, in this order.

    SQLite's writers take turns, so that rows are numbered as they are inserted; elsewhere the sequencer numbers them
    after their commit.
    """
    bulk.insert(Event, rows, computed=_NUMBERED_BY_SQLITE if connection.vendor == "sqlite" else ())


def after(seq: int, limit: int = 500, filters: EventFilter = ALL) -> list[Event]:
    """The next rows of the log behind the number `seq`, at most `limit` and `MOST`, in their order.

    A reader that goes on with the number of the last row that it got misses none and gets none twice, on either
    database: rows appear in the order of their numbers. 0 begins at the beginning. Rows that are not numbered yet
    (PostgreSQL, for some milliseconds after their commit) come with a later reading.
    """
    return list(filters.rows().filter(seq__gt=seq).order_by("seq")[: max(0, min(limit, MOST))])


def between(first: int, last: int, limit: int, filters: EventFilter) -> list[Event]:
    """The next rows behind the number `first` up to the number `last`, at most `limit`, in their order: a reader that
    wants few of many rows looks at no more of them at a time than those numbers."""
    rows = filters.rows().filter(seq__gt=first, seq__lte=last)
    return list(rows.order_by("seq")[: max(0, min(limit, MOST))])


def latest(filters: EventFilter = ALL) -> int:
    """The number of the last row, 0 where there is none: where a reader begins that wants only what is new."""
    return int(filters.rows().aggregate(last=Max("seq"))["last"] or 0)


def unnumbered(most: int = 10_000) -> int:
    """How many rows wait for their number, counted up to `most`: how far the sequencer is behind."""
    return Event.objects.filter(seq=None).order_by()[:most].count()
