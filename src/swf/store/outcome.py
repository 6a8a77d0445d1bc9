"""A transaction whose outcome is known, also where the connection is lost while it commits.

A COMMIT whose answer does not arrive may have taken effect or not. PostgreSQL remembers: the transaction's number is
noted before the COMMIT, and asked for over a new connection (manual, section 9.27: `pg_xact_status`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import InterfaceError, OperationalError, connection, transaction

Wait = Callable[[float], object]
"""Waits that many seconds."""

PAUSE_S: Final = 0.2
PATIENCE: Final = 150
"""How often the server is asked, `PAUSE_S` apart, before the outcome is given up as unknown: for half a minute."""


@contextmanager
def known_outcome(*, wait: Wait = time.sleep) -> Iterator[None]:
    """`transaction.atomic`, outermost: a normal return means that it has committed, an exception that it has not.

    Raises:
        OperationalError, InterfaceError: the database failed, and nothing took effect; or it does not come back, and
            nobody knows.
    """
    number: int | None = None
    try:
        with transaction.atomic():
            yield
            number = _number()
    except (OperationalError, InterfaceError):
        if number is None or not _has_committed(number, wait):
            raise


def _number() -> int | None:
    """The number of the present transaction; None where it has changed nothing, or the database is in this process."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned()::text")
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] else None


def _has_committed(number: int, wait: Wait) -> bool:
    for _ in range(PATIENCE):
        try:
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_xact_status(%s::text::xid8)", [str(number)])
                row = cursor.fetchone()
        except (OperationalError, InterfaceError):
            row = None
        # A server that lives on can still be at work for the connection that was lost.
        if row and row[0] != "in progress":
            return bool(row[0] == "committed")
        wait(PAUSE_S)
    return False
