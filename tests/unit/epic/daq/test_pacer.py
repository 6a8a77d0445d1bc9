from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from daq_times import DEFAULTS, times
from hypothesis import given
from hypothesis import strategies as st

from swf.core.errors import ConfigError, IllegalMoveError
from swf.core.times import ManualClock
from swf.epic.daq.boundary import RunBoundary
from swf.epic.daq.machine import Daq, moved
from swf.epic.daq.pacer import Pacer
from swf.epic.daq.parameters import DaqParameters
from swf.epic.daq.schedule import steps
from swf.epic.daq.states import NO_BEAM, PHYSICS, STANDBY
from swf.epic.daq.steps import EndRun, PauseRun, ResumeRun, Step, StfGen

TEN = replace(DEFAULTS, stf_count=10, physics_period_count=1)


def due(pacer: Pacer) -> float:
    instant = pacer.next_due()
    assert instant is not None
    return instant


def play_until(pacer: Pacer, clock: ManualClock, index: int) -> Step:
    """Do all steps up to `index`, each when it is due."""
    while True:
        clock.advance(max(0.0, due(pacer) - clock.monotonic()))
        step = pacer.advance()
        if step.index == index:
            return step


def test_in_real_time_each_step_is_due_at_its_time_from_the_start() -> None:
    clock = ManualClock()
    clock.advance(1000.0)
    pacer = Pacer(TEN, clock)
    clock.advance(50.0)
    seen = []
    while not pacer.finished:
        clock.advance(max(0.0, due(pacer) - clock.monotonic()))
        seen.append((clock.monotonic() - 1050.0, pacer.advance()))
    assert [step for _, step in seen] == list(steps(TEN))
    assert [wall for wall, _ in seen] == pytest.approx([step.at for _, step in seen])
    assert pacer.next_due() is None


def test_otherwise_each_step_is_due_at_once() -> None:
    clock = ManualClock()
    pacer = Pacer(replace(TEN, realtime=False), clock)
    while not pacer.finished:
        assert due(pacer) == clock.monotonic() == 0.0
        pacer.advance()
    assert pacer.done == 17


def test_a_late_caller_catches_up() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 5)
    clock.advance(5.0)
    assert due(pacer) == pytest.approx(16.4)
    pacer.advance()
    assert due(pacer) == pytest.approx(18.6)
    pacer.advance()
    assert due(pacer) == pytest.approx(20.8)
    assert clock.monotonic() < 20.8


def test_a_restarted_process_waits_the_rest_and_no_more() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock, done=6)
    assert pacer.state == PHYSICS
    assert due(pacer) == pytest.approx(2.2)
    assert pacer.advance() == list(steps(TEN))[6]


def test_what_was_done_must_be_in_the_script() -> None:
    assert Pacer(TEN, ManualClock(), done=17).finished
    with pytest.raises(ConfigError, match="fewer than the 18 steps"):
        Pacer(TEN, ManualClock(), done=18)


def test_a_hold_announces_standby_and_goes_on_without_a_burst() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 5)
    clock.advance(0.5)
    pause = pacer.hold("the exit buffer is full")
    assert pause is not None
    assert (pause.notice, pause.state, pause.interlude) == (PauseRun(reason="the exit buffer is full"), STANDBY, True)
    assert (pause.index, pause.at) == (5, pytest.approx(14.7))
    assert pacer.state == STANDBY
    assert pacer.next_due() is None
    with pytest.raises(IllegalMoveError, match="held"):
        pacer.advance()
    assert pacer.hold("again") is None

    clock.advance(3600.0)
    assert pacer.at == pytest.approx(14.7)
    resume = pacer.release()
    assert resume is not None
    assert (resume.notice, resume.state, resume.at) == (ResumeRun(), PHYSICS, pytest.approx(14.7))
    assert due(pacer) == pytest.approx(clock.monotonic() + 16.4 - 14.7)
    assert pacer.release() is None


def test_a_hold_outside_data_taking_only_stops_the_time() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 3)
    assert pacer.hold("not yet") is None
    assert pacer.held
    clock.advance(100.0)
    assert pacer.release() is None
    assert due(pacer) == pytest.approx(clock.monotonic() + 2.0)


def test_a_step_that_was_due_when_held_is_due_at_the_release() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 5)
    clock.advance(2.5)
    following = pacer.peek()
    assert following is not None
    assert following.notice == StfGen(sequence=2)
    pacer.hold("the exit buffer is full")
    clock.advance(60.0)
    pacer.release()
    assert due(pacer) == pytest.approx(clock.monotonic())
    assert pacer.advance() == following
    assert due(pacer) == pytest.approx(clock.monotonic() + 2.2)


def test_a_hold_outlives_the_process() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock, done=6, held_at=14.7)
    assert pacer.state == STANDBY
    assert pacer.next_due() is None
    resume = pacer.release()
    assert resume is not None
    assert resume.at == 14.7
    assert due(pacer) == pytest.approx(clock.monotonic() + 1.7)


def test_a_stop_closes_the_run_at_once() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 7)
    clock.advance(1.0)
    stop = pacer.stop("operator")
    assert stop is not None
    assert (stop.after, stop.at, stop.reason) == (8, pytest.approx(19.6), "operator")
    assert due(pacer) == pytest.approx(clock.monotonic())
    assert pacer.advance().notice == EndRun(total_stfs=3, reason="operator")
    assert due(pacer) == pytest.approx(clock.monotonic() + 6.1)
    assert pacer.advance().state == NO_BEAM
    assert pacer.finished
    assert pacer.stop("again") is None


def test_a_second_stop_changes_nothing() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 7)
    first = pacer.stop("operator")
    pacer.advance()
    assert pacer.stop("somebody else") is None
    assert pacer.stopping == first
    assert pacer.advance().state == NO_BEAM
    assert pacer.finished


def test_a_stop_outlives_the_process() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 7)
    stop = pacer.stop("operator")
    after = Pacer(TEN, clock, done=pacer.done, stop=stop)
    assert due(after) == pytest.approx(clock.monotonic())
    assert after.advance() == pacer.advance()
    again = Pacer(TEN, clock, done=after.done, stop=stop)
    assert again.advance() == pacer.advance()
    assert again.finished


def test_a_stop_of_a_held_run_ends_it_out_of_standby() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 7)
    pacer.hold("full")
    assert pacer.stop("operator") is not None
    assert not pacer.held
    assert pacer.state == STANDBY
    assert pacer.advance().notice == EndRun(total_stfs=3, reason="operator")
    assert pacer.state != STANDBY


def test_a_hold_between_a_stop_and_its_end_run_announces_no_second_pause() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 7)
    assert pacer.hold("full") is not None
    stop = pacer.stop("operator")
    assert pacer.hold("full again") is None
    assert Pacer(TEN, clock, done=pacer.done, stop=stop).hold("full again") is None


def test_a_stop_before_the_announcement_leaves_nothing_to_close() -> None:
    pacer = Pacer(TEN, ManualClock())
    pacer.advance()
    assert pacer.stop("operator") is not None
    assert pacer.finished
    with pytest.raises(IllegalMoveError, match="at its end"):
        pacer.advance()


def test_a_stop_after_the_end_of_the_run_is_too_late() -> None:
    clock = ManualClock()
    pacer = Pacer(TEN, clock)
    play_until(pacer, clock, 15)
    assert pacer.stop("operator") is None
    assert pacer.stopping is None
    assert pacer.advance().state == NO_BEAM


@given(parameters=times, data=st.data())
def test_whatever_a_caller_does_the_announced_states_obey_the_machine(
    parameters: DaqParameters, data: st.DataObject
) -> None:
    clock = ManualClock()
    pacer = Pacer(parameters, clock)
    announced: list[Step] = []
    for _ in range(80):
        action = data.draw(st.sampled_from(["advance"] * 6 + ["hold", "release", "stop", "wait", "restart"]))
        step: Step | None = None
        if action == "advance" and not pacer.held and not pacer.finished:
            clock.advance(max(0.0, due(pacer) - clock.monotonic()))
            step = pacer.advance()
        elif action == "hold":
            step = pacer.hold("held")
        elif action == "release":
            step = pacer.release()
        elif action == "stop":
            pacer.stop("stopped")
        elif action == "wait":
            clock.advance(data.draw(st.floats(0, 5)))
        elif action == "restart":
            paused = announced[-1].at if announced and pacer.state == STANDBY and announced[-1].interlude else None
            pacer = Pacer(parameters, clock, done=pacer.done, held_at=paused, stop=pacer.stopping)
        if step is not None:
            announced.append(step)
    daq = Daq(state=NO_BEAM)
    for step in announced:
        daq = moved(daq, step.move) if step.move else daq
        assert daq.state == step.state
    assert all(a.at <= b.at + 1e-6 for a, b in pairwise(announced))
    stfs = [step.notice.sequence for step in announced if isinstance(step.notice, StfGen)]
    assert stfs == list(range(1, len(stfs) + 1))
    assert sum(isinstance(step.notice, EndRun) for step in announced) <= 1
    if pacer.finished:
        assert daq.run is RunBoundary.NO_RUN
