"""The boundary of a run as the DAQ sees it: a run is announced, started, paused, resumed and ended by moves of the DAQ.

The DAQ has at most one run at a time; the processing of earlier ones may go on beside it.
"""

from __future__ import annotations

from enum import StrEnum

from swf.core.transitions import Move, TransitionTable


class RunBoundary(StrEnum):
    """Whether the DAQ has a run, and how far it is."""

    NO_RUN = "no_run"
    """None, or the last one has ended."""
    IMMINENT = "imminent"
    """Announced; not started."""
    TAKING = "taking"
    """Taking data, of physics or of another flavour."""
    PAUSED = "paused"
    """Paused; no data."""


class RunEffect(StrEnum):
    """What a move of the DAQ does to the run."""

    NONE = "none"
    OPENS = "opens"
    """Announces a run (run_imminent)."""
    STARTS = "starts"
    PAUSES = "pauses"
    RESUMES = "resumes"
    ENDS = "ends"
    """Ends the run that there is (end_run); without one the move is illegal."""
    ENDS_ANY = "ends_any"
    """Ends the run if there is one: the world moved, whether or not a run was announced."""


_NO_RUN, _IMMINENT, _TAKING, _PAUSED = RunBoundary
_OPEN = (_IMMINENT, _TAKING, _PAUSED)

BOUNDARY_TABLE: TransitionTable[RunBoundary, RunEffect] = TransitionTable(
    "run boundary",
    _NO_RUN,
    (
        Move(source=_NO_RUN, trigger=RunEffect.OPENS, target=_IMMINENT, why="announced"),
        Move(source=_IMMINENT, trigger=RunEffect.STARTS, target=_TAKING, why="data taking begins"),
        Move(source=_TAKING, trigger=RunEffect.PAUSES, target=_PAUSED, why="data taking pauses"),
        Move(source=_PAUSED, trigger=RunEffect.RESUMES, target=_TAKING, why="data taking goes on"),
        *(Move(source=b, trigger=RunEffect.ENDS, target=_NO_RUN, why="the run is over") for b in _OPEN),
        *(Move(source=b, trigger=RunEffect.ENDS_ANY, target=_NO_RUN, why="the run is cut off") for b in _OPEN),
        Move(source=_NO_RUN, trigger=RunEffect.ENDS_ANY, target=_NO_RUN, why="there was no run to end"),
        *(Move(source=b, trigger=RunEffect.NONE, target=b, why="the run is not touched") for b in RunBoundary),
    ),
)
