"""A database that fails: another connection holds SQLite's write lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Within the block every transaction of this process fails at its beginning, at once."""
    options = connection.settings_dict["OPTIONS"]
    patience = options["timeout"]
    # For this connection, and for those that are made within the block.
    options["timeout"] = 0
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            options["timeout"] = patience
