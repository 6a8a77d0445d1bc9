"""Lists of rows: filters, orders and pages by key, the same for every list and on both databases.

A page begins behind the key of the last row of the page before it, so that each costs the same however far it is, and
rows that are added meanwhile move nothing. What an index finds is asked of the index; for the rest a page looks at a
bounded number of rows, so that it may have less than was asked for, and even none, while there are more: a list ends
where `next` is None, and nowhere else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)

from swf.core.errors import QuestionError
from swf.core.scene import Namespaces, Scene
from swf.core.times import rfc3339
from swf.store.filters import Filter, Value

MOST: Final = 500
"""Most lines of one page."""
DEFAULT: Final = 50
WINDOW: Final = 10_000
"""So many rows are looked at at a time where no index finds those that are wanted."""
WINDOWS: Final = 5
"""So often for one page."""
_EXPORTED: Final = 500
"""Rows of an export that are read at a time."""

Row = TypeVar("Row", bound=Model)
Line = TypeVar("Line")
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Line]):
    """One page of a list; `next` is the cursor of the page behind it, None on the last one."""

    items: tuple[Line, ...]
    next: str | None

    def as_json(self) -> dict[str, Any]:
        """The page as plain values."""
        return {"items": [item.as_json() for item in self.items], "next": self.next}  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is wanted of a list. `filters` are texts or values by the filter's name; `sort` is the name of an order, and
    empty for the list's own; `cursor` is what the page before gave."""

    filters: Mapping[str, Value] = field(default_factory=dict)
    sort: str = ""
    cursor: str | None = None
    limit: int = DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of rows that an index has: by these columns, the last of which, or all together, are unique.

    `needs` are filters without which the index does not serve it, `bars` those with which it does not.
    """

    columns: tuple[str, ...]
    descending: bool = False
    needs: frozenset[str] = frozenset()
    bars: frozenset[str] = frozenset()

    def fits(self, filters: Mapping[str, object]) -> bool:
        """Whether the index serves it with these filters."""
        return self.needs <= filters.keys() and not self.bars & filters.keys()

    def sorted(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """The rows in this order."""
        return rows.order_by(*(f"-{name}" if self.descending else name for name in self.columns))

    def behind(self, rows: QuerySet[Row], key: Key) -> QuerySet[Row]:
        """The rows behind a key."""
        return rows.filter(self._compare(key, TupleLessThan if self.descending else TupleGreaterThan, "lt", "gt"))

    def up_to(self, rows: QuerySet[Row], key: Key) -> QuerySet[Row]:
        """The rows up to a key, its own among them."""
        larger = TupleGreaterThanOrEqual if self.descending else TupleLessThanOrEqual
        return rows.filter(self._compare(key, larger, "gte", "lte"))

    def key_of(self, row: Model) -> Key:
        """The key of a row."""
        return tuple(getattr(row, name) for name in self.columns)

    def _compare(self, key: Key, compare: Any, descending: str, ascending: str) -> Any:
        if len(self.columns) == 1:
            return Q(**{f"{self.columns[0]}__{descending if self.descending else ascending}": key[0]})
        return compare(Tuple(*map(F, self.columns)), key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[Row, Line]):
    """A list that can be asked for by page.

    Args:
        name: what it is called in addresses and file names.
        text: what it has, in a sentence.
        rows: all rows.
        lines: what is shown of rows, in their order.
        line: the class of a line.
        filters: what can be asked for, by name.
        orders: by name, `-` in front where it descends; the first one that fits is the list's own.
        namespace: the field that says of which namespace a row is.
        indexed: sets of filters that an index serves in each order that fits. None: the table is small, every one is.
        ranged: filters that are ranges of the order itself: they go with each of those sets.
    """

    name: str
    text: str
    rows: Callable[[], QuerySet[Row]]
    lines: Callable[[Sequence[Row], Scene], Sequence[Line]]
    line: type[Line]
    filters: Mapping[str, Filter]
    orders: Mapping[str, Order]
    namespace: str = "namespace"
    indexed: tuple[frozenset[str], ...] | None = None
    ranged: frozenset[str] = frozenset()

    def page(self, question: Question, scene: Scene) -> Page[Line]:
        """One page.

        Raises:
            QuestionError: a filter, the order, the cursor or the limit is not one of this list's.
        """
        if not 1 <= question.limit <= MOST:
            raise QuestionError("limit", f"expected a whole number from 1 to {MOST}, got {question.limit}")
        name, order = self._order(question)
        after = _decoded(question.cursor, name, order, self.rows().model)
        rows, key = self._read(question, scene, order, after, question.limit)
        items = tuple(self.lines(rows, scene))
        return Page(items=items, next=None if key is None else _encoded(name, key))

    def every(self, question: Question, scene: Scene) -> Iterator[Line]:
        """All lines from the cursor on, read piece by piece.

        Raises:
            QuestionError: before the first one: a filter, the order or the cursor is not one of this list's.
        """
        name, order = self._order(question)
        after = _decoded(question.cursor, name, order, self.rows().model)
        self._chosen(question, scene)
        return self._pieces(question, scene, order, after)

    def _pieces(self, question: Question, scene: Scene, order: Order, after: Key | None) -> Iterator[Line]:
        while True:
            rows, after = self._read(question, scene, order, after, _EXPORTED)
            yield from self.lines(rows, scene)
            if after is None:
                return

    def _read(
        self, question: Question, scene: Scene, order: Order, after: Key | None, limit: int
    ) -> tuple[list[Row], Key | None]:
        """The next rows, and the key behind which the next ones are; None where there are none."""
        found, rest = self._chosen(question, scene)
        if rest is None:
            # One more than is shown tells whether there is another page.
            rows = list(order.sorted(_behind(order, found, after))[: limit + 1])
            return rows[:limit], order.key_of(rows[limit - 1]) if len(rows) > limit else None
        rows = []
        for _ in range(WINDOWS):
            ahead = order.sorted(_behind(order, found, after))
            end = ahead.values_list(*order.columns)[WINDOW - 1 : WINDOW].first()
            window = order.up_to(ahead, end) if end is not None else ahead
            more = list(rest(window)[: limit + 1 - len(rows)])
            rows += more
            if len(rows) > limit:
                return rows[:limit], order.key_of(rows[limit - 1])
            if end is None:
                return rows, None
            after = end
        return rows, after

    def _chosen(
        self, question: Question, scene: Scene
    ) -> tuple[QuerySet[Row], Callable[[QuerySet[Row]], QuerySet[Row]] | None]:
        """The rows that an index finds, and what else is asked of them; None where nothing else is."""
        values = self._values(question)
        by_index = frozenset(values)
        if self.indexed is not None:
            served = max((each for each in self.indexed if each <= values.keys()), key=len, default=frozenset())
            by_index &= served | self.ranged
        found = self.rows()
        for name in by_index:
            found = self.filters[name].apply(found, values[name])
        others = [(self.filters[name], value) for name, value in values.items() if name not in by_index]
        of_one = [self.filters[name].namespace_of for name in by_index]
        apart = self.indexed is not None and scene.namespaces is not None and not any(of_one)
        if not apart:
            # Rows of one thing are of one namespace: either all are seen, or none, and then nothing tells of them.
            for name in by_index:
                look = self.filters[name].namespace_of
                if scene.namespaces is not None and look is not None and look(values[name]) not in scene.namespaces:
                    return found.none(), None
            found = in_sight(found, scene.namespaces, self.namespace)
        if not others and not apart:
            return found, None

        def rest(rows: QuerySet[Row]) -> QuerySet[Row]:
            for each, value in others:
                rows = each.apply(rows, value)
            return in_sight(rows, scene.namespaces, self.namespace)

        return found, rest

    def _values(self, question: Question) -> dict[str, Any]:
        unknown = sorted(question.filters.keys() - self.filters.keys())
        if unknown:
            known = ", ".join(sorted(self.filters))
            raise QuestionError(unknown[0], f"the list of {self.name} has no such filter; it has {known}")
        return {name: self.filters[name].parse(name, value) for name, value in question.filters.items()}

    def _order(self, question: Question) -> tuple[str, Order]:
        self._values(question)
        fitting = {name: order for name, order in self.orders.items() if order.fits(question.filters)}
        name = question.sort or next(iter(fitting))
        if name not in fitting:
            known = ", ".join(fitting)
            raise QuestionError("sort", f"the list of {self.name}, so filtered, has the orders {known}, not {name!r}")
        return name, fitting[name]


def in_sight(rows: QuerySet[Row], namespaces: Namespaces, field_name: str = "namespace") -> QuerySet[Row]:
    """The rows that may be seen."""
    if namespaces is None:
        return rows
    if len(namespaces) == 1:
        return rows.filter(**{field_name: next(iter(namespaces))})
    return rows.filter(**{f"{field_name}__in": sorted(namespaces)})


def both(name: str, *columns: str, newest_first: bool = True, **conditions: Any) -> dict[str, Order]:
    """An order and its reverse, as `name` and `-name`."""
    names = (f"-{name}", name) if newest_first else (name, f"-{name}")
    return {each: Order(columns=columns or (name,), descending=each.startswith("-"), **conditions) for each in names}


def _behind(order: Order, rows: QuerySet[Row], key: Key | None) -> QuerySet[Row]:
    return rows if key is None else order.behind(rows, key)


def _encoded(name: str, key: Key) -> str:
    plain = [rfc3339(part) if isinstance(part, datetime) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps([name, *plain], separators=(",", ":")).encode()).decode().rstrip("=")


def _decoded(cursor: str | None, name: str, order: Order, model: type[Model]) -> Key | None:
    """The key in a cursor.

    Raises:
        QuestionError: it was not given by this list in this order.
    """
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor[:2000] + "=" * (-len(cursor[:2000]) % 4), altchars=b"-_", validate=True)
        said, *key = json.loads(text)
        if said != name or len(key) != len(order.columns):
            raise ValueError(said)
        return tuple(_column(model, column, part) for column, part in zip(order.columns, key, strict=True))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, ValidationError) as error:
        wanted = "expected what the page before gave as `next`, with the same list and order"
        raise QuestionError("cursor", f"{cursor[:40]!r} is no cursor of this list: {wanted}") from error


def _column(model: type[Model], name: str, value: object) -> Any:
    column = model._meta.get_field(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(name)
    parsed = column.to_python(value)  # type: ignore[union-attr]
    if isinstance(parsed, int) and not -(2**63) <= parsed < 2**63:
        raise OverflowError(name)
    if isinstance(parsed, str) and "\0" in parsed:
        raise ValueError(name)
    if isinstance(parsed, datetime) and parsed.tzinfo is None:
        raise ValueError(name)
    return parsed
