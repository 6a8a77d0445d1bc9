"""What the DAQ does, step by step: a move of its state machine, a notice to the rest of the system, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from swf.epic.daq.machine import DaqTrigger
from swf.epic.daq.states import DaqState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunImminent:
    """Prepare for a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Data taking begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StfGen:
    """STF number `sequence` (from 1 within the run) is to be written and announced."""

    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRun:
    """Data taking pauses."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRun:
    """Data taking goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRun:
    """The run is over, after `total_stfs` STFs. `reason` is empty where the script came to its end."""

    total_stfs: int
    reason: str = ""


Notice: TypeAlias = RunImminent | StartRun | StfGen | PauseRun | ResumeRun | EndRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    `index` is its position in the script of the run, from 0; an interlude (a hold and its release), which is in no
    script, has the index of the step it follows. `at` is in simulated seconds since the script began. `move` is None
    where the state stays as it is; `state` is the one after the step.
    """

    index: int
    at: float
    state: DaqState
    move: DaqTrigger | None = None
    notice: Notice | None = None
    interlude: bool = False
