"""Opening the database: once per process, from the composition root."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import django
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connections

from swf.store import schema

FAILURES: Final = (OperationalError, InterfaceError, InternalError)
"""What a database raises that fails: no connection, a deadlock, a time limit, a full disk. Nothing of the transaction
took effect, and after `recover` it can be tried again. (A transaction that was idle for too long is an InternalError.)
"""

SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536"
"""Write-ahead log, an fsync with every commit, 64 MiB of cache."""


def sqlite(path: Path) -> dict[str, Any]:
    """Django's settings of an SQLite database in one file."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        # Take the write lock at BEGIN: a transaction that reads first and writes later could otherwise fail half-way.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": SQLITE_PRAGMAS},
    }


def sqlite_to_read(path: Path) -> dict[str, Any]:
    """Django's settings of an SQLite database that this process only reads. Nothing is written, so that another process
    may write at the same time, or the disk may be read-only."""
    # Without a write-ahead log and without leave to make one, nobody writes: only then is a file taken as it lies.
    log = path.with_name(f"{path.name}-wal")
    frozen = not log.exists() and not os.access(path.parent, os.W_OK)
    name = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if frozen else ''}"
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {"timeout": 30, "uri": True}}


def configure(
    database: dict[str, Any], instrument_apps: Sequence[str], more: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Tell Django which database and which apps this process uses. A process does this once.

    Args:
        database: what `sqlite`, `sqlite_to_read` or `swf.store.postgresql.postgresql` gives.
        instrument_apps: the Django apps of the instruments, and those of the web in a process that serves pages.
        more: what Django is told beyond that; agents need nothing.
    """
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["swf.store", *instrument_apps],
        USE_TZ=True,
        TIME_ZONE="UTC",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        **more,
    )
    django.setup()


def migrate() -> None:
    """Bring the database's tables to what this program expects; does nothing where they are.

    Raises:
        StorageError: the database cannot be opened or written.
        DataError: the tables are of a newer program.
    """
    schema.upgrade()


def recover() -> None:
    """Give up a connection that failed: the next statement makes a new one. Called by whoever goes on after an error of
    the database, outside of a transaction."""
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
