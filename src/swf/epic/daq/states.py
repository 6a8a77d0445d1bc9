"""The states of the DAQ, and which substate may go with which state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class State(StrEnum):
    """What collider and detector are doing."""

    OFF = "off"
    """Everything is down."""
    NO_BEAM = "no_beam"
    """The collider is not operating."""
    BEAM = "beam"
    """The collider is operating."""
    RUN = "run"
    """Physics is running."""
    CALIB = "calib"
    """A dedicated calibration."""
    TEST = "test"
    """Debugging. Never part of a run."""


class Substate(StrEnum):
    """How far the detector is, or which flavour of data is taken."""

    NOT_READY = "not_ready"
    """The detector is not ready."""
    READY = "ready"
    """Ready, but not declared good for physics."""
    PHYSICS = "physics"
    """Declared good; physics data."""
    STANDBY = "standby"
    """Still good; paused."""
    LUMI = "lumi"
    """Flavour: luminosity inputs."""
    EIC = "eic"
    """Flavour: machine data and configuration."""
    EPIC = "epic"
    """Flavour: detector data and configuration."""
    DAQ = "daq"
    """Flavour: DAQ data and configuration."""
    CALIB = "calib"
    """Flavour: calibration data."""


class DaqState(NamedTuple):
    """State and substate; both ride on every message."""

    state: State
    substate: Substate

    def __str__(self) -> str:
        return f"{self.state}/{self.substate}"


_ALWAYS: Final = (Substate.EIC, Substate.EPIC, Substate.DAQ, Substate.CALIB)
"""Flavours that go with every state."""

FLAVOURS: Final[Mapping[State, tuple[Substate, ...]]] = MappingProxyType(
    {
        State.OFF: _ALWAYS,
        State.NO_BEAM: _ALWAYS,
        State.BEAM: (Substate.LUMI, *_ALWAYS),
        State.RUN: (Substate.LUMI, *_ALWAYS),
        State.CALIB: _ALWAYS,
        State.TEST: (Substate.LUMI, *_ALWAYS),
    }
)
"""The data flavours that can be taken in each state."""

_PLAIN: Final[Mapping[State, tuple[Substate, ...]]] = MappingProxyType(
    {
        State.OFF: (Substate.NOT_READY,),
        State.NO_BEAM: (Substate.NOT_READY,),
        State.BEAM: (Substate.NOT_READY, Substate.READY),
        State.RUN: (Substate.PHYSICS, Substate.STANDBY),
        State.CALIB: (Substate.NOT_READY,),
        State.TEST: (Substate.NOT_READY, Substate.READY, Substate.PHYSICS, Substate.STANDBY),
    }
)

LEGAL: Final[frozenset[DaqState]] = frozenset(
    DaqState(state, substate) for state in State for substate in (*_PLAIN[state], *FLAVOURS[state])
)
"""Every pair that can be."""

OFF: Final = DaqState(State.OFF, Substate.NOT_READY)
NO_BEAM: Final = DaqState(State.NO_BEAM, Substate.NOT_READY)
BEAM_NOT_READY: Final = DaqState(State.BEAM, Substate.NOT_READY)
BEAM_READY: Final = DaqState(State.BEAM, Substate.READY)
PHYSICS: Final = DaqState(State.RUN, Substate.PHYSICS)
STANDBY: Final = DaqState(State.RUN, Substate.STANDBY)
CALIB: Final = DaqState(State.CALIB, Substate.NOT_READY)
TEST: Final = DaqState(State.TEST, Substate.NOT_READY)
