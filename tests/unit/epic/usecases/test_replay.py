"""Replaying the event log of a run."""

from __future__ import annotations

import pytest

from swf.core.errors import UnknownNameError
from swf.core.times import ManualClock
from swf.epic.usecases import replay as module
from swf.epic.usecases.replay import replay
from taken_run import RUN, TakenRun

pytestmark = pytest.mark.usefixtures("store")


class Waits:
    """A wait that lets the clock go on, and remembers how long it waited."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(round(seconds, 6))
        self._clock.advance(seconds)


@pytest.fixture
def waits() -> Waits:
    run = TakenRun()
    run.started()
    for number, after in enumerate((0, 1, 1, 5)):
        run.event(f"m{number}", after_s=after, number=number)
    return Waits(ManualClock())


def types(waits: Waits, **how: float) -> list[str]:
    return [event.type for event in replay(RUN, clock=waits._clock, wait=waits, **how)]  # type: ignore[arg-type]


def test_at_once_in_order(waits: Waits) -> None:
    assert types(waits) == ["m0", "m1", "m2", "m3"]
    assert waits.seconds == []


def test_at_the_pace_of_then(waits: Waits) -> None:
    assert types(waits, speed=1) == ["m0", "m1", "m2", "m3"]
    assert waits.seconds == [1, 4]


def test_ten_times_as_fast(waits: Waits) -> None:
    types(waits, speed=10)
    assert waits.seconds == [0.1, 0.4]


def test_a_slow_reader_is_caught_up_with(waits: Waits) -> None:
    events = replay(RUN, clock=waits._clock, wait=waits, speed=1)
    next(events)
    waits._clock.advance(3)
    assert [event.type for event in events] == ["m1", "m2", "m3"]
    assert waits.seconds == [2]


def test_from_a_sequence_number(waits: Waits) -> None:
    events = list(replay(RUN, clock=waits._clock, wait=waits))
    third = events[2].seq
    assert third is not None
    again = list(replay(RUN, clock=waits._clock, wait=waits, first=third))
    assert again == events[2:]
    assert list(replay(RUN, clock=waits._clock, wait=waits, first=third + 2)) == []


def test_page_by_page(waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    assert types(waits) == ["m0", "m1", "m2", "m3"]


def test_of_this_run_alone(waits: Waits) -> None:
    other = TakenRun(RUN + 1, execution="e2")
    other.started()
    other.event("other")
    assert "other" not in types(waits)


def test_events_carry_what_was_said(waits: Waits) -> None:
    last = list(replay(RUN, clock=waits._clock, wait=waits))[-1].as_json()
    assert last["body"] == {"number": 3}
    assert last["at"] == "2026-03-01T12:00:05.000000Z"


def test_of_an_unknown_run(waits: Waits) -> None:
    with pytest.raises(UnknownNameError):
        replay(1, clock=waits._clock, wait=waits)


@pytest.mark.parametrize("speed", [-1.0, float("nan")])
def test_what_is_no_pace(waits: Waits, speed: float) -> None:
    with pytest.raises(ValueError, match="no pace"):
        replay(RUN, clock=waits._clock, wait=waits, speed=speed)
