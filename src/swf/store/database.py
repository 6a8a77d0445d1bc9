"""Opening the database: once per process, from the composition root."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection

from swf.core.errors import StorageError

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


def configure(database: dict[str, Any], instrument_apps: Sequence[str]) -> None:
    """Tell Django which database and which apps this process uses. A process does this once."""
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["swf.store", *instrument_apps],
        USE_TZ=True,
        TIME_ZONE="UTC",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def migrate() -> None:
    """Bring the database's tables to what this program expects; does nothing where they are.

    Raises:
        StorageError: the database cannot be opened or written.
    """
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        name = connection.settings_dict["NAME"]
        raise StorageError(
            f"the database {name} cannot be written: {error}; check free space and permissions of its folder"
        ) from error
