"""Numbers that are given out once, to any number of processes at the same time."""

from __future__ import annotations

from django.db import connection, transaction

from swf.store.models import Counter

FIRST_RUN = 100010
"""The first run number of a new store; the existing testbed starts there as well."""

_STARTS = {"run": FIRST_RUN - 1}


def next_number(name: str) -> int:
    """The next number of the counter `name`."""
    return reserve(name, 1)


def reserve(name: str, count: int, above: int = 0) -> int:
    """The first of the next `count` numbers of the counter `name`, all of which are the caller's; none is `above` or
    below it.

    One statement, so that no two callers get the same.
    """
    table = connection.ops.quote_name(Counter._meta.db_table)
    sql = (
        f"INSERT INTO {table} (name, value) VALUES (%s, %s) "
        f"ON CONFLICT (name) DO UPDATE SET value = "
        f"CASE WHEN {table}.value < %s THEN %s ELSE {table}.value END + %s RETURNING value"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [name, max(_STARTS.get(name, 0), above) + count, above, above, count])
        row = cursor.fetchone()
    assert row is not None
    return int(row[0]) - count + 1


def peek(name: str, above: int = 0) -> int:
    """The number that `reserve` would give now; nothing is given out."""
    last = Counter.objects.filter(pk=name).values_list("value", flat=True).first()
    return max(_STARTS.get(name, 0) if last is None else last, above) + 1
