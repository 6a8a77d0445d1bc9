from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

import pytest
from daq_times import DEFAULTS, times
from hypothesis import given
from hypothesis import strategies as st

from swf.core.errors import IllegalMoveError
from swf.epic.daq.boundary import RunBoundary
from swf.epic.daq.machine import Daq, DaqTrigger, moved
from swf.epic.daq.parameters import DaqParameters
from swf.epic.daq.schedule import Stop, planned_stfs, steps, stf_period, stf_shares
from swf.epic.daq.states import BEAM_NOT_READY, NO_BEAM, PHYSICS, STANDBY
from swf.epic.daq.steps import EndRun, PauseRun, ResumeRun, RunImminent, StartRun, Step, StfGen

TEN = replace(DEFAULTS, stf_count=10, physics_period_count=1)


def sequences(made: list[Step]) -> list[int]:
    return [step.notice.sequence for step in made if isinstance(step.notice, StfGen)]


def obeys_the_machine(made: list[Step]) -> Daq:
    """Replay the moves through the state machine."""
    daq = Daq(state=NO_BEAM)
    for step in made:
        if step.move is not None:
            daq = moved(daq, step.move)
        assert step.state == daq.state
        if isinstance(step.notice, StfGen):
            assert daq == Daq(state=PHYSICS, run=RunBoundary.TAKING)
    return daq


def test_the_existing_testbeds_times() -> None:
    made = list(steps(TEN))
    assert stf_period(TEN) == pytest.approx(2.2)
    stfs = [step for step in made if isinstance(step.notice, StfGen)]
    assert [step.at for step in stfs] == pytest.approx([14.2 + 2.2 * n for n in range(10)])
    assert [(s.at, s.state) for s in made if isinstance(s.notice, RunImminent)] == [(5.0, BEAM_NOT_READY)]
    assert [(s.at, s.state) for s in made if isinstance(s.notice, StartRun)] == [(13.1, PHYSICS)]
    assert [(s.at, s.notice) for s in made if isinstance(s.notice, EndRun)] == [(34.2, EndRun(total_stfs=10))]
    assert (made[-1].at, made[-1].state) == (40.3, NO_BEAM)


def test_the_order_of_a_run_of_two_periods() -> None:
    made = list(steps(replace(DEFAULTS, stf_count=3)))
    assert [(s.move and s.move.value, str(s.state), type(s.notice).__name__) for s in made] == [
        (None, "no_beam/not_ready", "NoneType"),
        ("beam_available", "beam/not_ready", "NoneType"),
        ("run_imminent", "beam/not_ready", "RunImminent"),
        ("detector_ready", "beam/ready", "NoneType"),
        ("start_run", "run/physics", "StartRun"),
        (None, "run/physics", "StfGen"),
        (None, "run/physics", "StfGen"),
        ("pause_run", "run/standby", "PauseRun"),
        ("resume_run", "run/physics", "ResumeRun"),
        (None, "run/physics", "StfGen"),
        ("end_run", "beam/not_ready", "EndRun"),
        ("beam_dumped", "no_beam/not_ready", "NoneType"),
    ]
    pause, resume, third = made[7], made[8], made[9]
    assert pause.at == pytest.approx(14.2 + 2.2 + 0.2)
    assert resume.at == pytest.approx(pause.at + 0.1 + 1.0 + 2.0)
    assert third.at == pytest.approx(resume.at + 0.1 + 1.0)


def test_without_a_count_a_period_lasts_its_duration() -> None:
    made = list(steps(DEFAULTS))
    assert len(sequences(made)) == 10
    pause = next(step for step in made if isinstance(step.notice, PauseRun))
    assert pause.at == pytest.approx(14.2 + 10.0)
    assert planned_stfs(DEFAULTS) == 10


def test_a_period_of_whole_stf_periods_has_no_stf_at_its_end() -> None:
    assert len(sequences(list(steps(replace(DEFAULTS, physics_period_duration=22.0, physics_period_count=1))))) == 10


def test_the_count_is_per_run_and_spread_over_the_periods() -> None:
    three = replace(DEFAULTS, stf_count=10, physics_period_count=3)
    assert stf_shares(three) == (4, 3, 3)
    made = list(steps(three))
    per_period, current = [], 0
    for step in made:
        current += isinstance(step.notice, StfGen)
        if isinstance(step.notice, PauseRun | EndRun):
            per_period.append(current)
            current = 0
    assert per_period == [4, 3, 3]


def test_periods_without_end_stop_at_the_count() -> None:
    made = list(steps(replace(DEFAULTS, stf_count=7, physics_period_count=0)))
    assert sequences(made) == [1, 2, 3, 4, 5, 6, 7]
    assert sum(isinstance(step.notice, PauseRun) for step in made) == 1
    assert made[-2].notice == EndRun(total_stfs=7)


def test_a_run_without_count_and_end_goes_on_lazily() -> None:
    endless = replace(DEFAULTS, physics_period_count=0)
    assert planned_stfs(endless) is None
    assert len(sequences(list(islice(steps(endless), 5000)))) > 3000


def test_a_run_ends_when_there_are_no_more_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swf.epic.daq.schedule.MAX_SEQUENCE", 12)
    made = list(steps(replace(DEFAULTS, physics_period_count=0)))
    assert sequences(made)[-1] == 12
    assert made[-2].notice == EndRun(total_stfs=12, reason="the run has 12 STFs, and no name for another")


@given(parameters=times)
def test_every_script_obeys_the_machine_and_closes_its_run(parameters: DaqParameters) -> None:
    made = list(steps(parameters))
    assert obeys_the_machine(made) == Daq(state=NO_BEAM, run=RunBoundary.NO_RUN)
    assert [step.index for step in made] == list(range(len(made)))
    assert all(a.at <= b.at for a, b in pairwise(made))
    assert sequences(made) == list(range(1, (planned_stfs(parameters) or 0) + 1))
    assert made[-2].notice == EndRun(total_stfs=len(sequences(made)))
    periods = 1 + sum(isinstance(step.notice, ResumeRun) for step in made)
    assert periods == parameters.physics_period_count


@given(parameters=times, data=st.data())
def test_a_restarted_process_goes_on_with_the_same_steps(parameters: DaqParameters, data: st.DataObject) -> None:
    made = list(steps(parameters))
    skip = data.draw(st.integers(0, len(made)))
    assert list(steps(parameters, skip=skip)) == made[skip:]


@given(parameters=times, data=st.data())
def test_a_stop_closes_the_run_from_wherever_it_is(parameters: DaqParameters, data: st.DataObject) -> None:
    script = list(steps(parameters))
    after = data.draw(st.integers(0, len(script)))
    last = script[after - 1].at if after else 0.0
    stop = Stop(after=after, at=last + data.draw(st.floats(0, 5)), reason="asked to")
    made = list(steps(parameters, stop=stop))

    assert made[:after] == script[:after]
    daq = obeys_the_machine(made)
    assert daq == Daq(state=NO_BEAM, run=RunBoundary.NO_RUN)
    assert all(a.at <= b.at for a, b in pairwise(made))
    announced = any(isinstance(step.notice, RunImminent) for step in script[:after])
    ends = [step for step in made if isinstance(step.notice, EndRun)]
    assert len(ends) == announced
    assert len(sequences(made)) == len(sequences(script[:after]))
    if announced and not any(isinstance(step.notice, EndRun) for step in script[:after]):
        assert ends[0].notice == EndRun(total_stfs=len(sequences(made)), reason="asked to")
        assert ends[0].index == after
        assert ends[0].at == pytest.approx(stop.at, abs=1e-6)
    assert list(steps(parameters, skip=after, stop=stop)) == made[after:]


def test_a_stop_in_standby_ends_the_run_without_resuming() -> None:
    script = list(steps(DEFAULTS))
    after = next(step.index for step in script if step.state == STANDBY) + 1
    made = list(steps(DEFAULTS, skip=after, stop=Stop(after=after, at=25.0, reason="enough")))
    assert [step.move for step in made] == [DaqTrigger.END_RUN, DaqTrigger.BEAM_DUMPED]


def test_steps_cannot_be_skipped_backwards() -> None:
    with pytest.raises(ValueError, match="cannot skip -1"):
        steps(DEFAULTS, skip=-1)


def test_the_check_of_moves_can_fail() -> None:
    made = list(steps(TEN))
    with pytest.raises(IllegalMoveError):
        obeys_the_machine([step for step in made if step.move is not DaqTrigger.DETECTOR_READY])
