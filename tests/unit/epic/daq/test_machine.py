from __future__ import annotations

import pytest

from swf.core.errors import IllegalMoveError
from swf.epic.daq.boundary import RunBoundary, RunEffect
from swf.epic.daq.machine import DAQ_TABLE, EFFECTS, Daq, DaqTrigger, moved, triggers
from swf.epic.daq.states import (
    BEAM_NOT_READY,
    BEAM_READY,
    LEGAL,
    NO_BEAM,
    OFF,
    PHYSICS,
    STANDBY,
    DaqState,
    State,
    Substate,
)

ALL_STATES = ("eic", "epic", "daq", "calib")
BY_STATE = {
    "off": {"not_ready", *ALL_STATES},
    "no_beam": {"not_ready", *ALL_STATES},
    "beam": {"not_ready", "ready", "lumi", *ALL_STATES},
    "run": {"physics", "standby", "lumi", *ALL_STATES},
    "calib": {"not_ready", *ALL_STATES},
    "test": {"not_ready", "ready", "physics", "standby", "lumi", *ALL_STATES},
}


def play(*moves: str, start: Daq | None = None) -> Daq:
    daq = start or Daq()
    for move in moves:
        daq = moved(daq, DaqTrigger(move))
    return daq


TO_PHYSICS = ("power_on", "beam_available", "run_imminent", "detector_ready", "start_run")


def test_legal_pairs_are_those_of_the_state_model() -> None:
    assert {(s.state.value, s.substate.value) for s in LEGAL} == {
        (s, sub) for s, subs in BY_STATE.items() for sub in subs
    }


def test_every_move_stays_among_legal_pairs_and_has_a_reason_and_an_effect() -> None:
    assert {(m.source, m.trigger) for m in DAQ_TABLE.moves} == set(EFFECTS)
    for move in DAQ_TABLE.moves:
        assert {move.source, move.target} <= LEGAL
        assert move.why


def test_every_legal_pair_can_be_reached_and_left_and_every_trigger_is_used() -> None:
    seen = {DAQ_TABLE.initial}
    while True:
        more = seen | {m.target for m in DAQ_TABLE.moves if m.source in seen}
        if more == seen:
            break
        seen = more
    assert seen == LEGAL
    assert {m.source for m in DAQ_TABLE.moves} == LEGAL
    assert {m.trigger for m in DAQ_TABLE.moves} == set(DaqTrigger)


def test_a_run_from_power_on_to_power_off() -> None:
    daq = Daq()
    assert daq == Daq(state=OFF, run=RunBoundary.NO_RUN)
    seen = []
    for move in (*TO_PHYSICS, "pause_run", "resume_run", "end_run", "beam_dumped", "power_off"):
        daq = play(move, start=daq)
        seen.append((daq.state, daq.run.value))
    assert seen == [
        (NO_BEAM, "no_run"),
        (BEAM_NOT_READY, "no_run"),
        (BEAM_NOT_READY, "imminent"),
        (BEAM_READY, "imminent"),
        (PHYSICS, "taking"),
        (STANDBY, "paused"),
        (PHYSICS, "taking"),
        (BEAM_NOT_READY, "no_run"),
        (NO_BEAM, "no_run"),
        (OFF, "no_run"),
    ]


@pytest.mark.parametrize("flavour", ["lumi", "eic", "epic", "daq", "calib"])
def test_an_excursion_to_another_data_flavour_leaves_the_run_open(flavour: str) -> None:
    away = play(*TO_PHYSICS, f"take_{flavour}")
    assert away == Daq(state=DaqState(State.RUN, Substate(flavour)), run=RunBoundary.TAKING)
    assert play("flavour_done", start=away) == Daq(state=PHYSICS, run=RunBoundary.TAKING)


@pytest.mark.parametrize(
    ("trigger", "state"),
    [
        ("end_run", BEAM_NOT_READY),
        ("not_good", BEAM_READY),
        ("detector_fault", BEAM_NOT_READY),
        ("beam_lost", NO_BEAM),
        ("beam_dumped", NO_BEAM),
        ("power_lost", OFF),
    ],
)
@pytest.mark.parametrize("before", [(), ("pause_run",), ("take_lumi",)])
def test_what_takes_the_daq_out_of_physics_ends_the_run(trigger: str, state: DaqState, before: tuple[str, ...]) -> None:
    assert play(*TO_PHYSICS, *before, trigger) == Daq(state=state, run=RunBoundary.NO_RUN)


def test_a_fault_before_the_start_leaves_the_run_announced() -> None:
    daq = play("power_on", "beam_available", "run_imminent", "detector_ready", "detector_fault")
    assert daq == Daq(state=BEAM_NOT_READY, run=RunBoundary.IMMINENT)
    assert play("detector_ready", "start_run", start=daq).run is RunBoundary.TAKING


@pytest.mark.parametrize(
    "trigger", ["beam_lost", "beam_dumped", "power_lost", "begin_calibration", "begin_test", "end_run"]
)
def test_leaving_the_beam_before_the_start_ends_the_announced_run(trigger: str) -> None:
    assert play(*TO_PHYSICS[:4], trigger).run is RunBoundary.NO_RUN


def test_runs_follow_each_other_in_one_fill_with_the_detector_ready() -> None:
    daq = play(*TO_PHYSICS, "not_good", "run_imminent", "start_run")
    assert daq == Daq(state=PHYSICS, run=RunBoundary.TAKING)


@pytest.mark.parametrize(
    ("path", "trigger"),
    [
        ((), "start_run"),
        (TO_PHYSICS, "resume_run"),
        (TO_PHYSICS, "power_off"),
        (TO_PHYSICS, "run_imminent"),
        (TO_PHYSICS, "begin_calibration"),
        ((*TO_PHYSICS, "pause_run"), "pause_run"),
        ((*TO_PHYSICS, "pause_run"), "take_lumi"),
        (("power_on",), "run_imminent"),
        (("power_on", "begin_test", "detector_ready", "rehearse_physics"), "pause_run"),
    ],
)
def test_illegal_moves_are_refused_and_the_legal_ones_named(path: tuple[str, ...], trigger: str) -> None:
    daq = play(*path)
    with pytest.raises(IllegalMoveError, match=f"{trigger} is not legal in state .*legal here: {triggers(daq)[0]}"):
        moved(daq, DaqTrigger(trigger))


@pytest.mark.parametrize(
    ("path", "trigger"),
    [
        (("power_on", "beam_available", "detector_ready"), "start_run"),
        (("power_on", "beam_available"), "end_run"),
        (("power_on", "beam_available", "run_imminent"), "run_imminent"),
    ],
)
def test_moves_that_do_not_fit_the_run_are_refused(path: tuple[str, ...], trigger: str) -> None:
    daq = play(*path)
    with pytest.raises(IllegalMoveError, match=f"{trigger} is not legal in beam/.* while the run is {daq.run}"):
        moved(daq, DaqTrigger(trigger))
    assert DaqTrigger(trigger) not in triggers(daq)


def test_no_move_of_a_test_or_a_calibration_touches_a_run() -> None:
    for (source, _), effect in EFFECTS.items():
        if source.state in {State.TEST, State.CALIB, State.OFF, State.NO_BEAM}:
            assert effect is RunEffect.NONE
