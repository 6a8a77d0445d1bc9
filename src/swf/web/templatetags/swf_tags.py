"""Filters of templates: values as pages show them."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from swf.web import marks
from swf.web.columns import Column, rows_of
from swf.web.tones import tone as tone_of

register = template.Library()


@register.filter
def instant(value: datetime | None) -> SafeString:
    """An instant with its day."""
    return marks.instant(value)


@register.filter
def clock(value: datetime | None) -> SafeString:
    """An instant's time of the day."""
    return marks.instant(value, clock=True)


@register.filter
def badge(value: object) -> SafeString:
    """A state."""
    return marks.badge(str(value or ""))


@register.filter
def tone(value: object) -> str:
    """How good a state is."""
    return tone_of(str(value))


@register.filter
def simulated(value: object) -> SafeString:
    """The mark of simulated data."""
    return marks.simulated(bool(value))


@register.filter
def grouped(value: float | None) -> str:
    """A number with its thousands apart."""
    return marks.DASH if value is None else marks.grouped(value)


@register.filter
def bytes_of(value: int | None) -> str:
    """Bytes with their unit."""
    return marks.bytes_of(value)


@register.filter
def seconds(value: float | None) -> str:
    """A time span with its unit."""
    return marks.seconds(value)


@register.filter
def indented(value: object) -> str:
    """Plain values as a person reads them."""
    return marks.indented(value)


@register.filter
def part(value: object) -> str:
    """A name as a part of an address."""
    return marks.part(value)


@register.inclusion_tag("swf/table.html")
def table(columns: tuple[Column, ...], lines: list[object], empty: str = "", label: str = "") -> dict[str, object]:
    """A table of lines that have no pages of their own."""
    return {"columns": columns, "rows": rows_of(columns, lines), "empty": empty, "label": label}
