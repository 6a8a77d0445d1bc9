"""What lists can be filtered by. A value is given as text, or as what that text means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeVar

from django.db.models import Model, QuerySet

from swf.core.errors import QuestionError
from swf.core.times import parse_rfc3339, rfc3339

Value: TypeAlias = str | int | bool | datetime
Row = TypeVar("Row", bound=Model)

LONGEST: Final = 250
LARGEST: Final = 2**31 - 1
_LOST_PLUS: Final = re.compile(r" (\d\d:\d\d)\Z")
_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


class Kind(StrEnum):
    """What a filter's value is."""

    TEXT = "text"
    NUMBER = "number"
    INSTANT = "instant"
    YES_NO = "yes or no"
    WORDS = "words"
    """One of the filter's choices, or several with commas between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One thing that rows can be chosen by.

    Args:
        text: which rows it leaves, for a person.
        lookup: Django's look-up, e.g. `created_at__gte`; for WORDS, the field.
        kind: what its value is.
        choices: the words that it may be.
        narrow: in place of `lookup`: narrows the rows to those of the value.
        namespace_of: of a filter that names one thing, the namespace of that thing, None where there is none: all rows
            of it are of one namespace.
    """

    text: str
    lookup: str = ""
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    narrow: Callable[[QuerySet[Any], Any], QuerySet[Any]] | None = None
    namespace_of: Callable[[Any], str | None] | None = None

    def parse(self, name: str, value: Value) -> Any:
        """What a value means.

        Raises:
            QuestionError: it is none of this filter's.
        """
        try:
            return _PARSERS[self.kind](self, value)
        except ValueError as error:
            raise QuestionError(name, str(error)) from None

    def apply(self, rows: QuerySet[Row], value: Any) -> QuerySet[Row]:
        """The rows that it leaves."""
        if self.narrow is not None:
            return self.narrow(rows, value)
        if self.kind is Kind.WORDS:
            return rows.filter(**{self.lookup: value[0]} if len(value) == 1 else {f"{self.lookup}__in": value})
        return rows.filter(**{self.lookup: value})


def words(text: str, lookup: str, choices: Any) -> Filter:
    """A filter by one word of several, or by some of them."""
    return Filter(text=text, lookup=lookup, kind=Kind.WORDS, choices=tuple(str(choice) for choice in choices))


def number(text: str, lookup: str, namespace_of: Callable[[int], str | None] | None = None) -> Filter:
    """A filter by a whole number."""
    return Filter(text=text, lookup=lookup, kind=Kind.NUMBER, namespace_of=namespace_of)


def instant(text: str, lookup: str) -> Filter:
    """A filter by an instant."""
    return Filter(text=text, lookup=lookup, kind=Kind.INSTANT)


def yes_no(text: str, narrow: Callable[[QuerySet[Any], bool], QuerySet[Any]]) -> Filter:
    """A filter by whether something is so."""
    return Filter(text=text, kind=Kind.YES_NO, narrow=narrow)


def _text(asked: Filter, value: Value) -> str:
    if not isinstance(value, str) or not value or len(value) > LONGEST or "\0" in value:
        raise ValueError(f"expected a text of 1 to {LONGEST} characters, got {str(value)[:40]!r}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("the text is not Unicode that can be stored") from None
    return value


def _number(asked: Filter, value: Value) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST):
        raise ValueError(f"expected a whole number from 0 to {LARGEST}, got {text[:40]!r}")
    return int(text)


def _instant(asked: Filter, value: Value) -> datetime:
    # In addresses a plus sign is often left as it is, and read as a space.
    text = rfc3339(value) if isinstance(value, datetime) else str(value)
    return parse_rfc3339(_LOST_PLUS.sub(r"+\1", text))


def _yes_no(asked: Filter, value: Value) -> bool:
    text = str(value).lower()
    if text not in _YES | _NO:
        raise ValueError(f"expected true or false, got {text[:40]!r}")
    return text in _YES


def _words(asked: Filter, value: Value) -> list[str]:
    given = list(dict.fromkeys(str(value).split(",")))
    if any(word not in asked.choices for word in given):
        expected = ", ".join(asked.choices)
        raise ValueError(
            f"expected one of {expected}, or some of them with commas between them, got {str(value)[:80]!r}"
        )
    return given


_PARSERS: Final[dict[Kind, Callable[[Filter, Value], Any]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.INSTANT: _instant,
    Kind.YES_NO: _yes_no,
    Kind.WORDS: _words,
}
