"""Values as pages show them: instants, numbers, states, links. Each gives HTML in which the value is escaped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from django.utils.html import format_html
from django.utils.safestring import SafeString

from swf.core.figures import duration, size
from swf.core.times import rfc3339
from swf.web.tones import tone

_NARROW_SPACE: Final = "\u202f"
DASH: Final = "\u2013"
NOTHING: Final = SafeString(f'<span class="quiet">{DASH}</span>')


def grouped(number: float) -> str:
    """A number with its thousands apart: `1 254 900`."""
    text = f"{number:,}" if isinstance(number, int) else f"{number:,.6g}"
    return text.replace(",", _NARROW_SPACE)


def instant(value: datetime | None, *, clock: bool = False) -> SafeString:
    """An instant in UTC, with the day or with the time alone; browsers add the reader's own time."""
    if value is None:
        return NOTHING
    shown = value.astimezone(UTC)
    text = f"{shown:%H:%M:%S}.{shown.microsecond // 1000:03}" if clock else f"{shown:%Y-%m-%d %H:%M:%S}"
    return format_html('<time datetime="{}">{}</time>', rfc3339(value), text)


def badge(word: str) -> SafeString:
    """A state's word in the colour of how good it is."""
    if not word:
        return NOTHING
    return format_html('<span class="badge {}">{}</span>', tone(word), word.replace("_", " "))


def simulated(is_so: bool) -> SafeString:
    """The mark of data that no detector has taken."""
    return SafeString('<span class="badge simulated">SIMULATED</span>') if is_so else SafeString("")


def link(address: str, text: str) -> SafeString:
    """A link within this site."""
    return format_html('<a href="{}">{}</a>', address, text)


def bytes_of(number: int | None) -> str:
    """Bytes with their unit."""
    return DASH if number is None else size(number)


def seconds(number: float | None) -> str:
    """A time span with its unit."""
    return DASH if number is None else "0 s" if number == 0 else duration(number)


def indented(value: object) -> str:
    """Plain values as a person reads them."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def part(name: object) -> str:
    """A name as a part of an address."""
    return quote(str(name), safe=":")
