"""Numbers as a person reads them."""

from __future__ import annotations


def number_of(number: int, one: str, many: str = "") -> str:
    """A number of things: `1 STF`, `10 STFs`; `many` where the plural is no plain `s`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """A time, to about two digits: `0.08 s`, `37 min`, `2.5 h`."""
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def size(number: int) -> str:
    """Bytes in decimal units, as disks are sold: `47.8 MB`."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= scale:
            return f"{number / scale:.3g} {unit}" if number < 1000 * scale else f"{number / scale:.0f} {unit}"
    return f"{number} B"
