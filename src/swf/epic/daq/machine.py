"""The state machine of the DAQ: every legal move with its trigger, its reason and its effect on the run.

States and substates are those of the detector's state model; the moves between them are ours (see the decision
"DAQ state machine" in docs/decisions), since no source has a complete table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from swf.core.errors import IllegalMoveError
from swf.core.transitions import Move, TransitionTable
from swf.epic.daq.boundary import BOUNDARY_TABLE, RunBoundary, RunEffect
from swf.epic.daq.states import (
    BEAM_NOT_READY,
    BEAM_READY,
    CALIB,
    FLAVOURS,
    LEGAL,
    NO_BEAM,
    OFF,
    PHYSICS,
    STANDBY,
    TEST,
    DaqState,
    State,
    Substate,
)


class DaqTrigger(StrEnum):
    """What moves the DAQ."""

    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    POWER_LOST = "power_lost"
    BEAM_AVAILABLE = "beam_available"
    BEAM_DUMPED = "beam_dumped"
    BEAM_LOST = "beam_lost"
    DETECTOR_READY = "detector_ready"
    DETECTOR_SAFE = "detector_safe"
    DETECTOR_FAULT = "detector_fault"
    RUN_IMMINENT = "run_imminent"
    START_RUN = "start_run"
    PAUSE_RUN = "pause_run"
    RESUME_RUN = "resume_run"
    END_RUN = "end_run"
    NOT_GOOD = "not_good"
    BEGIN_CALIBRATION = "begin_calibration"
    BEGIN_TEST = "begin_test"
    BACK_TO_NO_BEAM = "back_to_no_beam"
    BACK_TO_BEAM = "back_to_beam"
    TAKE_LUMI = "take_lumi"
    TAKE_EIC = "take_eic"
    TAKE_EPIC = "take_epic"
    TAKE_DAQ = "take_daq"
    TAKE_CALIB = "take_calib"
    FLAVOUR_DONE = "flavour_done"
    REHEARSE_PHYSICS = "rehearse_physics"
    REHEARSE_STANDBY = "rehearse_standby"


class _Row(NamedTuple):
    sources: tuple[DaqState, ...]
    trigger: DaqTrigger
    target: DaqState
    effect: RunEffect
    why: str


def _states(state: State, *, without: tuple[Substate, ...] = ()) -> tuple[DaqState, ...]:
    """The legal pairs of a state, in the order of the substates."""
    return tuple(DaqState(state, s) for s in Substate if DaqState(state, s) in LEGAL and s not in {*without})


def _excursions(sources: tuple[DaqState, ...], back: DaqState, why: str) -> tuple[_Row, ...]:
    """Into each data flavour of a state, and back."""
    state = back.state
    there = tuple(
        _Row(sources, DaqTrigger(f"take_{flavour}"), DaqState(state, flavour), RunEffect.NONE, f"{why}: {flavour} data")
        for flavour in FLAVOURS[state]
    )
    flavoured = tuple(DaqState(state, flavour) for flavour in FLAVOURS[state])
    return (*there, _Row(flavoured, DaqTrigger.FLAVOUR_DONE, back, RunEffect.NONE, f"{why}: done"))


_T, _E = DaqTrigger, RunEffect
_BEAM, _RUN = _states(State.BEAM), _states(State.RUN)
_TEST_READY = DaqState(State.TEST, Substate.READY)
_TEST_PHYSICS = DaqState(State.TEST, Substate.PHYSICS)
_TEST_STANDBY = DaqState(State.TEST, Substate.STANDBY)
_NOT_READY = (Substate.NOT_READY,)
_QUIET = (*_states(State.NO_BEAM), *_states(State.CALIB), *_states(State.TEST))

_ROWS: Final[tuple[_Row, ...]] = (
    # power
    _Row((OFF,), _T.POWER_ON, NO_BEAM, _E.NONE, "services come up"),
    _Row(_QUIET, _T.POWER_OFF, OFF, _E.NONE, "shut down in order; with beam it has to be dumped first"),
    _Row(_QUIET, _T.POWER_LOST, OFF, _E.NONE, "power cut"),
    _Row((*_BEAM, *_RUN), _T.POWER_LOST, OFF, _E.ENDS_ANY, "power cut; a run that was open ends"),
    # collider
    _Row((NO_BEAM,), _T.BEAM_AVAILABLE, BEAM_NOT_READY, _E.NONE, "the collider operates"),
    _Row((*_BEAM, *_RUN), _T.BEAM_DUMPED, NO_BEAM, _E.ENDS_ANY, "planned end of the fill; a run that was open ends"),
    _Row((*_BEAM, *_RUN), _T.BEAM_LOST, NO_BEAM, _E.ENDS_ANY, "unplanned end of the fill; a run that was open ends"),
    # detector
    _Row((BEAM_NOT_READY,), _T.DETECTOR_READY, BEAM_READY, _E.NONE, "all subsystems report ready"),
    _Row((BEAM_READY,), _T.DETECTOR_SAFE, BEAM_NOT_READY, _E.NONE, "put in its safe state on purpose"),
    _Row(
        _states(State.BEAM, without=_NOT_READY),
        _T.DETECTOR_FAULT,
        BEAM_NOT_READY,
        _E.NONE,
        "a subsystem failed; an announced run still waits for its start",
    ),
    _Row(_RUN, _T.DETECTOR_FAULT, BEAM_NOT_READY, _E.ENDS, "a subsystem failed; the run ends"),
    _Row(
        _states(State.NO_BEAM, without=_NOT_READY),
        _T.DETECTOR_FAULT,
        NO_BEAM,
        _E.NONE,
        "a subsystem failed without beam",
    ),
    _Row(_states(State.CALIB, without=_NOT_READY), _T.DETECTOR_FAULT, CALIB, _E.NONE, "calibration data broke off"),
    _Row(_states(State.TEST, without=_NOT_READY), _T.DETECTOR_FAULT, TEST, _E.NONE, "the test broke off"),
    # run
    _Row(
        (BEAM_NOT_READY,), _T.RUN_IMMINENT, BEAM_NOT_READY, _E.OPENS, "a run is announced while the detector prepares"
    ),
    _Row((BEAM_READY,), _T.RUN_IMMINENT, BEAM_READY, _E.OPENS, "the next run is announced with the detector ready"),
    _Row((BEAM_READY,), _T.START_RUN, PHYSICS, _E.STARTS, "declared good for physics"),
    _Row((PHYSICS,), _T.PAUSE_RUN, STANDBY, _E.PAUSES, "paused; still good"),
    _Row(
        tuple(DaqState(State.RUN, flavour) for flavour in FLAVOURS[State.RUN]),
        _T.PAUSE_RUN,
        STANDBY,
        _E.PAUSES,
        "paused out of another data flavour",
    ),
    _Row((STANDBY,), _T.RESUME_RUN, PHYSICS, _E.RESUMES, "goes on"),
    _Row(_RUN, _T.END_RUN, BEAM_NOT_READY, _E.ENDS, "end of the run; readiness is declared anew for the next one"),
    _Row(_BEAM, _T.END_RUN, BEAM_NOT_READY, _E.ENDS, "a run that was announced is called off"),
    _Row(
        _RUN, _T.NOT_GOOD, BEAM_READY, _E.ENDS, "conditions drop out of good for physics; the detector is still ready"
    ),
    # calibration and test
    _Row((NO_BEAM,), _T.BEGIN_CALIBRATION, CALIB, _E.NONE, "dedicated calibration without beam"),
    _Row((BEAM_NOT_READY, BEAM_READY), _T.BEGIN_CALIBRATION, CALIB, _E.ENDS_ANY, "dedicated calibration with beam"),
    _Row((OFF, NO_BEAM), _T.BEGIN_TEST, TEST, _E.NONE, "debugging without beam"),
    _Row((BEAM_NOT_READY, BEAM_READY), _T.BEGIN_TEST, TEST, _E.ENDS_ANY, "debugging with beam"),
    _Row((CALIB, TEST), _T.BACK_TO_NO_BEAM, NO_BEAM, _E.NONE, "done, and the collider is not operating now"),
    _Row((CALIB, TEST), _T.BACK_TO_BEAM, BEAM_NOT_READY, _E.NONE, "done, and the collider is operating now"),
    # data flavours
    *_excursions((OFF,), OFF, "with everything else down"),
    *_excursions((NO_BEAM,), NO_BEAM, "without beam"),
    *_excursions((BEAM_NOT_READY, BEAM_READY), BEAM_NOT_READY, "with beam, outside physics"),
    *_excursions((PHYSICS,), PHYSICS, "within the run, which stays open"),
    *_excursions((CALIB,), CALIB, "in a calibration"),
    *_excursions((TEST, _TEST_READY), TEST, "in a test"),
    # anything that a test rehearses; none of it is a run
    _Row((TEST,), _T.DETECTOR_READY, _TEST_READY, _E.NONE, "test of the ready detector"),
    _Row((_TEST_READY,), _T.DETECTOR_SAFE, TEST, _E.NONE, "test of the safe state"),
    _Row((_TEST_READY, _TEST_STANDBY), _T.REHEARSE_PHYSICS, _TEST_PHYSICS, _E.NONE, "as if physics; no run"),
    _Row((_TEST_PHYSICS,), _T.REHEARSE_STANDBY, _TEST_STANDBY, _E.NONE, "as if paused; no run"),
    _Row((_TEST_PHYSICS, _TEST_STANDBY), _T.FLAVOUR_DONE, TEST, _E.NONE, "end of the rehearsal"),
)

DAQ_TABLE: Final[TransitionTable[DaqState, DaqTrigger]] = TransitionTable(
    "DAQ",
    OFF,
    tuple(
        Move(source=source, trigger=row.trigger, target=row.target, why=row.why)
        for row in _ROWS
        for source in row.sources
    ),
)
"""Every legal move of the DAQ."""

EFFECTS: Final[Mapping[tuple[DaqState, DaqTrigger], RunEffect]] = MappingProxyType(
    {(source, row.trigger): row.effect for row in _ROWS for source in row.sources}
)
"""The effect of every legal move on the run, by source and trigger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daq:
    """The DAQ at one moment: where it is, and how far its run is."""

    state: DaqState = OFF
    run: RunBoundary = RunBoundary.NO_RUN


def moved(daq: Daq, trigger: DaqTrigger) -> Daq:
    """The DAQ after `trigger`.

    Raises:
        IllegalMoveError: the DAQ or its run does not allow it; the message names what is legal.
    """
    target = DAQ_TABLE.target(daq.state, trigger)
    effect = EFFECTS[daq.state, trigger]
    if not BOUNDARY_TABLE.allows(daq.run, effect):
        raise IllegalMoveError(
            f"DAQ: {trigger} is not legal in {daq.state} while the run is {daq.run}: it {effect} a run; "
            f"legal here: {', '.join(triggers(daq))}"
        )
    return Daq(state=target, run=BOUNDARY_TABLE.target(daq.run, effect))


def triggers(daq: Daq) -> tuple[DaqTrigger, ...]:
    """The triggers that are legal now, in the table's order."""
    return tuple(t for t in DAQ_TABLE.triggers(daq.state) if BOUNDARY_TABLE.allows(daq.run, EFFECTS[daq.state, t]))
