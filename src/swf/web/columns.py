"""The columns of tables: which value of a line each has, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from swf.web import marks


class Show(StrEnum):
    """How a value is shown."""

    TEXT = "text"
    NAME = "name"
    """A name that programs give: all its letters matter."""
    WORDS = "words"
    """A sentence."""
    NUMBER = "number"
    BYTES = "bytes"
    SECONDS = "seconds"
    INSTANT = "instant"
    STATE = "state"
    YES_NO = "yes_no"


_RIGHT = frozenset({Show.NUMBER, Show.BYTES, Show.SECONDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Args:
        title: its head; a unit belongs into it where the values have none.
        field: the attribute of a line.
        show: how it is shown.
        link: where it leads, from the line; empty for nowhere.
        order: the name of the list's order by it, without a sign; empty where there is none.
        value: in place of `field`: computed from the line.
    """

    title: str
    field: str = ""
    show: Show = Show.TEXT
    link: Callable[[Any], str] | None = None
    order: str = ""
    value: Callable[[Any], object] | None = None

    @property
    def css(self) -> str:
        """The class of its cells."""
        if self.show in _RIGHT:
            return "number"
        return self.show.value if self.show in {Show.NAME, Show.WORDS} else ""

    def cell(self, line: object) -> SafeString:
        """The cell of a line."""
        value = self.value(line) if self.value is not None else getattr(line, self.field)
        text = shown(value, self.show)
        address = self.link(line) if self.link is not None and value not in (None, "") else ""
        return format_html('<a href="{}">{}</a>', address, text) if address else text


def shown(value: object, show: Show) -> SafeString:
    """A value as HTML."""
    if value is None or value == "":
        return marks.NOTHING
    return value if isinstance(value, SafeString) else format_html("{}", _MARKS[show](value))


_MARKS: Final[Mapping[Show, Callable[[Any], object]]] = {
    Show.TEXT: str,
    Show.NAME: str,
    Show.WORDS: str,
    Show.NUMBER: marks.grouped,
    Show.BYTES: marks.bytes_of,
    Show.SECONDS: marks.seconds,
    Show.INSTANT: marks.instant,
    Show.STATE: lambda value: marks.badge(str(value)),
    Show.YES_NO: lambda value: "yes" if value else "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table."""

    html: SafeString
    css: str


def rows_of(columns: Sequence[Column], lines: Sequence[object]) -> list[list[Cell]]:
    """The cells of some lines."""
    return [[Cell(html=column.cell(line), css=column.css) for column in columns] for line in lines]
