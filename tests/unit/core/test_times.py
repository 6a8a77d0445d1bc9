"""Instants and clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.core.times import (
    EARLIEST,
    FUTURE_TOLERANCE,
    Interval,
    ManualClock,
    SystemClock,
    parse_rfc3339,
    plausible,
    rfc3339,
)

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - the strategy's own form


@given(INSTANTS)
def test_an_instant_survives_being_written_and_read(instant: datetime) -> None:
    again = parse_rfc3339(rfc3339(instant))
    assert again == instant
    assert again.tzinfo is UTC
    assert rfc3339(instant).endswith("Z")


@given(INSTANTS)
def test_any_offset_is_read(instant: datetime) -> None:
    assert parse_rfc3339(instant.isoformat()) == instant


def test_a_naive_instant_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001 - the case


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:00:00Z ",
        "2026-01-31T12:00:00.5+0100",
        "٢026-01-31T12:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_what_is_not_an_rfc_3339_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"instant|day|hour|range"):
        parse_rfc3339(text)


def test_instants_that_cannot_be_are_told_apart() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    assert plausible(now, now)
    assert plausible(EARLIEST, now)
    assert plausible(now + FUTURE_TOLERANCE, now)
    assert not plausible(EARLIEST - timedelta(microseconds=1), now)
    assert not plausible(now + FUTURE_TOLERANCE + timedelta(microseconds=1), now)


def test_the_manual_clock_moves_when_told() -> None:
    clock = ManualClock()
    began, ticks = clock.now(), clock.monotonic()
    assert clock.now() == began
    clock.advance(1.5)
    assert clock.now() - began == timedelta(seconds=1.5)
    assert clock.monotonic() - ticks == 1.5


def test_the_system_clock_is_aware_and_never_runs_backwards() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_an_interval_is_over_at_once_and_then_each_time_that_it_has_passed() -> None:
    clock = ManualClock()
    interval = Interval(clock, 2.0)
    assert interval.is_over()
    assert not interval.is_over()
    clock.advance(1.9)
    assert not interval.is_over()
    clock.advance(5.0)
    assert interval.is_over()
    clock.advance(1.9)
    assert not interval.is_over(), "the next one is counted from the last time, not from when it was due"
