"""A transaction whose outcome is known, also where the connection is lost while it commits.

A COMMIT whose answer does not arrive may have taken effect or not. Therefore the last statement of an agent's
transaction leaves a mark in the agent's row, and after a loss the row tells, over a new connection, which it was.
PostgreSQL's own record (`pg_xact_status`) cannot be asked: a server that crashed may give the number of a transaction
that it lost to another one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connection, transaction

from swf.core.errors import BusyError

Wait = Callable[[float], object]
"""Waits that many seconds."""

PAUSE_S: Final = 0.2
"""How long after a server that did not answer it is asked again."""

# A transaction that has changed nothing has no number yet, needs no mark, and is cheap to commit.
_MARK: Final = (
    "UPDATE store_systemagent SET last_turn = %s"
    " WHERE instance_name = %s AND pg_current_xact_id_if_assigned() IS NOT NULL RETURNING starts"
)
_LOOK: Final = "SELECT last_turn FROM store_systemagent WHERE instance_name = %s FOR UPDATE"


@contextmanager
def known_outcome(agent: str, start: int | None = None, *, wait: Wait = time.sleep) -> Iterator[None]:
    """`transaction.atomic` of an agent, outermost: a normal return means that it has committed, an exception that it
    has not. With SQLite there is no doubt.

    The server is asked until it answers, however long it is away: who took a commit for failed that was none would
    hold units that it does not know of, and an agent can do nothing without its rows anyway. Where the process is ended
    meanwhile, its next start finds in the rows what it held.

    Args:
        agent: the agent's name; its process is the only one under that name.
        start: which of the agent's starts this process is. One that was taken for dead and followed by another one, for
            example because its host stood still, commits nothing any more. None: not asked.
        wait: how to wait for a server that is gone.

    Raises:
        OperationalError, InterfaceError: the database failed, and nothing took effect.
        BusyError: another process has taken this one's place; nothing took effect.
    """
    mark: UUID | None = None
    try:
        with transaction.atomic():
            yield
            mark = _marked(agent, start)
    except (OperationalError, InterfaceError):
        if mark is None or not _has_committed(agent, mark, wait):
            raise


def _marked(agent: str, start: int | None) -> UUID | None:
    """Leave a mark; None where there is nothing to tell of."""
    if connection.vendor != "postgresql":
        return None
    mark = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [mark, agent])
        row = cursor.fetchone()
    if row is not None and start is not None and row[0] != start:
        raise BusyError(
            f"{agent} was started anew elsewhere while this process gave no sign of life: this one ends, and comes "
            "back under a name of its own"
        )
    return mark if row is not None else None


def _has_committed(agent: str, mark: UUID, wait: Wait) -> bool:
    while True:
        try:
            connection.close()
            with connection.cursor() as cursor:
                # A server that lives on may still be at work for the connection that was lost: this waits for it.
                cursor.execute(_LOOK, [agent])
                row = cursor.fetchone()
        except (OperationalError, InterfaceError):
            wait(PAUSE_S)
        else:
            return bool(row == (mark,))
