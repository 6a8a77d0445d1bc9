"""Many rows in one round trip, in the statement forms that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

Row = Mapping[str, Any]


def insert(model: type[models.Model], rows: Sequence[Row], *, or_ignore: bool = False) -> int:
    """Insert rows given as `{field: value}`, all with the same fields; fields left out take the model's defaults.

    With `or_ignore`, rows that a uniqueness rule refuses are passed over. Returns the number of rows inserted.
    """
    if not rows:
        return 0
    fields = _inserted_fields(model, tuple(rows[0]))
    names = ", ".join(_quoted(field) for _, field in fields)
    marks = ", ".join(["%s"] * len(fields))
    conflict = " ON CONFLICT DO NOTHING" if or_ignore else ""
    sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({marks}){conflict}"
    values = [
        [f.get_db_prep_save(row[key] if key in row else f.get_default(), connection) for key, f in fields]
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)
        return int(cursor.rowcount)


def update(model: type[models.Model], rows: Sequence[tuple[Row, Row]]) -> int:
    """Update rows one by one in one round trip; each is (`{field: new value}`, `{field: value to find it by}`).

    All rows name the same fields. Finding a row by its old state makes a compare-and-set: the number of rows changed,
    which is returned, is then less than asked for where somebody else was first.
    """
    if not rows:
        return 0
    new_fields = [_field(model, name) for name in rows[0][0]]
    old_fields = [_field(model, name) for name in rows[0][1]]
    assignments = ", ".join(f"{_quoted(f)} = %s" for f in new_fields)
    conditions = " AND ".join(f"{_quoted(f)} = %s" for f in old_fields)
    sql = f"UPDATE {connection.ops.quote_name(model._meta.db_table)} SET {assignments} WHERE {conditions}"
    fields = [*new_fields, *old_fields]
    values = [
        [f.get_db_prep_save(v, connection) for f, v in zip(fields, [*new.values(), *old.values()], strict=True)]
        for new, old in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)
        return int(cursor.rowcount)


def _quoted(field: models.Field[Any, Any]) -> str:
    assert field.column is not None
    return str(connection.ops.quote_name(field.column))


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


@cache
def _inserted_fields(model: type[models.Model], given: tuple[str, ...]) -> list[tuple[str, models.Field[Any, Any]]]:
    fields = [
        (next((key for key in (field.attname, field.name) if key in given), field.attname), field)
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField) or field.attname in given
    ]
    unknown = set(given) - {key for key, _ in fields}
    if unknown:
        raise ValueError(f"{model.__name__} has no field {', '.join(sorted(unknown))}")
    return fields
