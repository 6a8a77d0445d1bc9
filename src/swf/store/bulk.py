"""Many rows in one round trip, in the statement forms that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

Row = Mapping[str, Any]
_Prepare = Callable[[Any], Any] | None

_AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.ForeignKey)
"""Fields whose values every database takes as Python has them. Django's general way costs more than the insert."""


def insert(model: type[models.Model], rows: Sequence[Row], *, or_ignore: bool = False) -> int:
    """Insert rows given as `{field: value}`, all with the same fields; fields left out take the model's defaults.

    With `or_ignore`, rows that a uniqueness rule refuses are passed over. Returns the number of rows inserted.
    """
    if not rows:
        return 0
    connection = connections["default"]
    fields = _inserted_fields(model, tuple(rows[0]))
    names = ", ".join(_quoted(connection, field) for _, field in fields)
    marks = ", ".join(["%s"] * len(fields))
    conflict = " ON CONFLICT DO NOTHING" if or_ignore else ""
    sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({marks}){conflict}"
    given = rows[0].keys()
    constant = {key: field.get_default() for key, field in fields if key not in given}
    plan = [(key, _preparer(connection, field)) for key, field in fields]
    return _execute(connection, sql, [_prepared(plan, {**constant, **row} if constant else row) for row in rows])


def update(model: type[models.Model], rows: Sequence[tuple[Row, Row]]) -> int:
    """Update rows one by one in one round trip; each is (`{field: new value}`, `{field: value to find it by}`).

    All rows name the same fields. Finding a row by its old state makes a compare-and-set: the number of rows changed,
    which is returned, is then less than asked for where somebody else was first.
    """
    if not rows:
        return 0
    connection = connections["default"]
    new_fields = [(name, _field(model, name)) for name in rows[0][0]]
    old_fields = [(name, _field(model, name)) for name in rows[0][1]]
    assignments = ", ".join(f"{_quoted(connection, f)} = %s" for _, f in new_fields)
    conditions = " AND ".join(f"{_quoted(connection, f)} = %s" for _, f in old_fields)
    sql = f"UPDATE {connection.ops.quote_name(model._meta.db_table)} SET {assignments} WHERE {conditions}"
    new_plan = [(name, _preparer(connection, f)) for name, f in new_fields]
    old_plan = [(name, _preparer(connection, f)) for name, f in old_fields]
    return _execute(connection, sql, [_prepared(new_plan, new) + _prepared(old_plan, old) for new, old in rows])


def _execute(connection: BaseDatabaseWrapper, sql: str, values: list[list[Any]]) -> int:
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)
        return int(cursor.rowcount)


def _prepared(plan: list[tuple[str, _Prepare]], row: Row) -> list[Any]:
    return [row[key] if prepare is None else prepare(row[key]) for key, prepare in plan]


def _preparer(connection: BaseDatabaseWrapper, field: models.Field[Any, Any]) -> _Prepare:
    """How a value of this field becomes a parameter; None where it is one already."""
    if isinstance(field, _AS_THEY_ARE):
        return None

    def general(value: Any) -> Any:
        return field.get_db_prep_save(value, connection)

    # The rows of a batch share their instants.
    return lru_cache(maxsize=8)(general) if isinstance(field, models.DateTimeField) else general


def _quoted(connection: BaseDatabaseWrapper, field: models.Field[Any, Any]) -> str:
    assert field.column is not None
    return str(connection.ops.quote_name(field.column))


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    for field in model._meta.concrete_fields:
        if name in {field.name, field.attname}:
            return field
    raise ValueError(f"{model.__name__} has no field {name}")


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
