"""Bringing the tables of a store up to date, where nobody works with the old ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from swf.service.workspace import Workspace
from swf.store import maintenance


def upgrade(workspace: Workspace) -> tuple[str, ...]:
    """Bring the tables of the store that is open up to date.

    Returns:
        the changes that were made; none where there was nothing to do.

    Raises:
        BusyError: the store is the data directory's own, and a process runs agents there.
        DataError: the tables are of a newer program.
        StorageError, ServiceError: the database cannot be opened or written.
    """
    with _alone(workspace):
        return maintenance.upgrade()


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Keep agents of an embedded process away. A server keeps order by itself: its clients wait for each other."""
    if connection.vendor == "sqlite":
        with workspace.locked():
            yield
    else:
        yield
