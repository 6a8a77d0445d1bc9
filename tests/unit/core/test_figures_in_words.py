"""Numbers as a person reads them."""

from __future__ import annotations

import pytest

from swf.core.figures import duration, number_of, size


def test_a_number_of_things() -> None:
    assert [number_of(number, "STF") for number in (0, 1, 2)] == ["0 STFs", "1 STF", "2 STFs"]
    assert number_of(2, "inbox entry", "inbox entries") == "2 inbox entries"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (0.0834, "0.083 s"),
        (6.14, "6.1 s"),
        (9.99, "10 s"),
        (66.7, "67 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (2244, "37 min"),
        (9000, "2.5 h"),
        (360_000, "100.0 h"),
    ],
)
def test_a_time(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (47_812_000, "47.8 MB"), (2 * 10**9, "2 GB"), (5 * 10**12, "5000 GB")],
)
def test_a_size(number: int, text: str) -> None:
    assert size(number) == text
