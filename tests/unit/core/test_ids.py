"""Identities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from swf.core.ids import CountingIds, Uuid7Source, id_from_content
from swf.core.times import ManualClock

STEPS = st.lists(st.floats(-5000.0, 5000.0).map(lambda seconds: round(seconds, 4)), min_size=1, max_size=50)


class SteppingClock(ManualClock):
    """A host's clock that somebody sets, also back."""

    def step(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@given(STEPS)
def test_identities_grow_also_when_the_clock_steps_back(steps: list[float]) -> None:
    clock = SteppingClock()
    source = Uuid7Source(clock)
    made = [source.new()]
    for seconds in steps:
        clock.step(seconds)
        made += [source.new(), source.new()]
    assert made == sorted(set(made))


@given(st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - the strategy's own form
def test_an_identity_tells_the_millisecond_of_its_making(instant: datetime) -> None:
    aware = instant.replace(tzinfo=UTC)
    made = Uuid7Source(ManualClock(aware)).new()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert abs((made.int >> 80) - aware.timestamp() * 1000) <= 1


def test_a_busy_millisecond_has_room_for_more_than_the_counter_holds() -> None:
    source = Uuid7Source(ManualClock())
    made = [source.new() for _ in range(3 * 4096)]
    assert made == sorted(set(made))
    assert all(each.version == 7 for each in made)


def test_two_sources_of_one_instant_do_not_collide() -> None:
    clock = ManualClock()
    one, other = Uuid7Source(clock), Uuid7Source(clock)
    assert len({source.new() for source in (one, other) for _ in range(1000)}) == 2000


def test_counted_identities_are_the_same_each_time() -> None:
    assert [CountingIds().new() for _ in range(2)] == [CountingIds().new()] * 2
    source = CountingIds()
    made = [source.new() for _ in range(10)]
    assert made == sorted(set(made))
    assert all(each.version == 7 for each in made)


@given(st.text(), st.text())
def test_an_identity_from_content_is_that_of_the_content(one: str, other: str) -> None:
    assert id_from_content(one) == id_from_content(one)
    assert (id_from_content(one) == id_from_content(other)) == (one == other)
