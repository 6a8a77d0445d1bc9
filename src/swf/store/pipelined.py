"""Many rows to PostgreSQL in one round trip. Imported only where that is the database: it needs psycopg."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

COPY_FROM: Final = 5
"""From so many rows on, COPY is faster than one INSERT for each."""


def execute_many(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Sequence[Any]]) -> int:
    """Execute a statement once for each row of parameters, prepared by the server. Returns the rows touched in all.

    Django's own cursor writes the parameters into the text of each statement, which takes two to three times as long.
    """
    return _run(connection, psycopg.Cursor(_raw(connection)), sql, values)


def insert_many(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Sequence[Any]]) -> int:
    """Execute `INSERT INTO table (columns) VALUES (%s, ...)` for each row, by COPY where there are several."""
    kind = _CopyCursor if len(values) >= COPY_FROM else psycopg.Cursor
    return _run(connection, kind(_raw(connection)), sql, values)


def _run(
    connection: BaseDatabaseWrapper, cursor: psycopg.Cursor[Any], sql: str, values: Sequence[Sequence[Any]]
) -> int:
    # With Django's wrappers: its errors, its log of statements, and whoever counts them.
    make: Callable[[Any], Any] = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with make(cursor) as wrapped:
        wrapped.executemany(sql, values)
        return int(wrapped.rowcount)


def _raw(connection: BaseDatabaseWrapper) -> Any:
    connection.ensure_connection()
    return connection.connection


class _CopyCursor(psycopg.Cursor[Any]):
    """Inserts many rows by COPY."""

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        """Insert a row for each of these parameters."""
        table = str(query).removeprefix("INSERT INTO ").partition(" VALUES ")[0]
        # Text, not binary: then the server checks what a column can hold, as it does for an INSERT.
        with self.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in params_seq:
                copy.write_row(row)
