"""Adding rows to the event log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection

from swf.store import bulk
from swf.store.models import Event

_NUMBERED_BY_SQLITE: Final = (("seq", "(SELECT seq + 1 FROM sqlite_sequence WHERE name = 'store_event')"),)
"""The id that the row will have (https://sqlite.org/autoinc.html). In an empty log there is none yet: then the trigger
of the table numbers the row. It could number all, but each number that comes later moves the row in four indexes."""


def append(rows: Sequence[bulk.Row]) -> None:
    """Add rows at the end of the log, in this order.

    SQLite's writers take turns, so that rows are numbered as they are inserted; elsewhere the sequencer numbers them
    after their commit.
    """
    bulk.insert(Event, rows, computed=_NUMBERED_BY_SQLITE if connection.vendor == "sqlite" else ())
