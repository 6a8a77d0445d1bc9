"""Many rows in one round trip, in the statement forms that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Row = Mapping[str, Any]
_Field: TypeAlias = "models.Field[Any, Any]"
_Convert = Callable[[Any], Any]

_PER_STATEMENT = 500
"""Rows of one INSERT with several rows; databases limit the number of parameters."""

_AS_THEY_ARE = (
    models.CharField,
    models.TextField,
    models.IntegerField,
    models.FloatField,
    models.BooleanField,
    models.ForeignKey,
)
"""Fields whose values every database takes as Python has them. Django's general way costs more than the insert."""


def insert(
    model: type[models.Model],
    rows: Sequence[Row],
    *,
    or_ignore: bool = False,
    computed: tuple[tuple[str, str], ...] = (),
) -> int:
    """Insert rows given as `{field: value}`, all with the same fields; fields left out take the model's defaults.

    With `or_ignore`, rows that a uniqueness rule refuses are passed over. `computed` are fields that the database
    computes for each row, with the SQL expression. Returns the number of rows inserted.
    """
    if not rows:
        return 0
    connection = connections["default"]
    statement = _insertion(connection.vendor, model, tuple(rows[0]), or_ignore, computed)
    defaults = [_converter(connection, field)(field.get_default()) for field in statement.left_out]
    values = _converted(connection, statement.keys, statement.fields, rows)
    if defaults:
        for row in values:
            row.extend(defaults)
    plain = not or_ignore and not computed
    return _execute(connection, statement.sql, values, plain_insert=plain)


def insert_new(model: type[models.Model], rows: Sequence[Row], key: str) -> set[Any]:
    """Insert the rows that no uniqueness rule refuses, and return which these are, by the value of their field `key`.

    A row that another transaction is inserting is waited for: it is new here only if that one rolls back. Rows should
    come in an order that is the same for all processes, so that none waits for one that waits for it.
    """
    connection = connections["default"]
    inserted: set[Any] = set()
    for start in range(0, len(rows), _PER_STATEMENT):
        part = rows[start : start + _PER_STATEMENT]
        statement = _insertion(connection.vendor, model, tuple(part[0]), or_ignore=True, computed=())
        defaults = [_converter(connection, field)(field.get_default()) for field in statement.left_out]
        values = _converted(connection, statement.keys, statement.fields, part)
        field = _field(model, key)
        marks = f"({', '.join(['%s'] * (len(statement.fields) + len(defaults)))})"
        sql = (
            statement.sql.replace(marks, ", ".join([marks] * len(part)), 1) + f" RETURNING {_quoted(connection, field)}"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for row in values for value in (*row, *defaults)])
            inserted.update(field.to_python(row[0]) for row in cursor.fetchall())
    return inserted


def update(model: type[models.Model], rows: Sequence[tuple[Row, Row]]) -> int:
    """Update rows one by one in one round trip; each is (`{field: new value}`, `{field: value to find it by}`).

    All rows name the same fields. Finding a row by its old state makes a compare-and-set: the number of rows changed,
    which is returned, is then less than asked for where somebody else was first.
    """
    if not rows:
        return 0
    connection = connections["default"]
    new_keys, old_keys = tuple(rows[0][0]), tuple(rows[0][1])
    sql, new_fields, old_fields = _updating(connection.vendor, model, new_keys, old_keys)
    values = _converted(connection, new_keys, new_fields, [new for new, _ in rows])
    for row, old in zip(values, _converted(connection, old_keys, old_fields, [old for _, old in rows]), strict=True):
        row.extend(old)
    return _execute(connection, sql, values)


def delete(model: type[models.Model], key: str, values: Sequence[UUID]) -> None:
    """Delete the rows whose field `key` has one of these values, in one statement; what refers to them stays."""
    connection = connections["default"]
    if connection.vendor != "postgresql":
        model._default_manager.filter(**{f"{key}__in": values}).delete()
        return
    from swf.store import pipelined

    # An array is one parameter: so the server prepares one statement for any number of values.
    table, column = connection.ops.quote_name(model._meta.db_table), _quoted(connection, _field(model, key))
    pipelined.execute_many(connection, f"DELETE FROM {table} WHERE {column} = ANY(%s)", [[list(values)]])


def _execute(connection: BaseDatabaseWrapper, sql: str, values: list[list[Any]], *, plain_insert: bool = False) -> int:
    # Outside of a transaction as well, either all rows are written or none.
    if not connection.in_atomic_block:
        with transaction.atomic():
            return _execute(connection, sql, values, plain_insert=plain_insert)
    if connection.vendor == "postgresql":
        from swf.store import pipelined

        many = pipelined.insert_many if plain_insert else pipelined.execute_many
        return many(connection, sql, values)
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)
        return int(cursor.rowcount)


def _converted(
    connection: BaseDatabaseWrapper, keys: tuple[str, ...], fields: tuple[_Field, ...], rows: Sequence[Row]
) -> list[list[Any]]:
    """The values of these keys of each row, as parameters."""
    # With one key, itemgetter gives a value instead of a tuple.
    get = itemgetter(*keys) if len(keys) > 1 else lambda row: (row[keys[0]],)
    values = [list(get(row)) for row in rows]
    for index, field in enumerate(fields):
        if not isinstance(field, _AS_THEY_ARE):
            convert = _converter(connection, field)
            for row in values:
                row[index] = convert(row[index])
    return values


def _converter(connection: BaseDatabaseWrapper, field: _Field) -> _Convert:
    """How a value of this field becomes a parameter."""
    if isinstance(field, _AS_THEY_ARE):
        return lambda value: value

    def general(value: Any) -> Any:
        return field.get_db_prep_save(value, connection)

    if isinstance(field, models.UUIDField) and not connection.features.has_native_uuid_field:
        return lambda value: value.hex if type(value) is UUID else general(value)
    # The rows of a batch share their instants.
    return lru_cache(maxsize=8)(general) if isinstance(field, models.DateTimeField) else general


@dataclass(frozen=True, slots=True, kw_only=True)
class _Insertion:
    sql: str
    keys: tuple[str, ...]
    """Of the values that are given with each row, in the order of the statement; then come those of `left_out`."""
    fields: tuple[_Field, ...]
    left_out: tuple[_Field, ...]


@lru_cache(maxsize=256)
def _insertion(
    vendor: str,
    model: type[models.Model],
    keys: tuple[str, ...],
    or_ignore: bool,
    computed: tuple[tuple[str, str], ...],
) -> _Insertion:
    """The statement for rows with these keys. `vendor` tells statements of one database from those of another."""
    connection = connections["default"]
    fields = tuple(_field(model, key) for key in keys)
    by_database = {_field(model, name): expression for name, expression in computed}
    left_out = tuple(
        field
        for field in model._meta.concrete_fields
        if field not in fields and field not in by_database and not isinstance(field, models.AutoField)
    )
    names = ", ".join(_quoted(connection, field) for field in (*fields, *left_out, *by_database))
    marks = ", ".join([*["%s"] * (len(fields) + len(left_out)), *by_database.values()])
    conflict = " ON CONFLICT DO NOTHING" if or_ignore else ""
    table = connection.ops.quote_name(model._meta.db_table)
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks}){conflict}"
    return _Insertion(sql=sql, keys=keys, fields=fields, left_out=left_out)


@lru_cache(maxsize=256)
def _updating(
    vendor: str, model: type[models.Model], new: tuple[str, ...], old: tuple[str, ...]
) -> tuple[str, tuple[_Field, ...], tuple[_Field, ...]]:
    """The statement that sets the fields `new` of a row found by the fields `old`, and those fields."""
    connection = connections["default"]
    new_fields, old_fields = (tuple(_field(model, key) for key in keys) for keys in (new, old))
    assignments = ", ".join(f"{_quoted(connection, field)} = %s" for field in new_fields)
    conditions = " AND ".join(f"{_quoted(connection, field)} = %s" for field in old_fields)
    table = connection.ops.quote_name(model._meta.db_table)
    return f"UPDATE {table} SET {assignments} WHERE {conditions}", new_fields, old_fields


def _quoted(connection: BaseDatabaseWrapper, field: _Field) -> str:
    assert field.column is not None
    return str(connection.ops.quote_name(field.column))


def _field(model: type[models.Model], name: str) -> _Field:
    for field in model._meta.concrete_fields:
        if name in {field.name, field.attname}:
            return field
    raise ValueError(f"{model.__name__} has no field {name}")
