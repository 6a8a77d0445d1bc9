"""Accounting arithmetic: for a run and each stage, the sum of units and the name of each one that is not done.

`produced = registered + missing`, and for each registered unit exactly one word at each stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from swf.core.work import UNFINISHED, WorkState

NOT_REQUIRED = "not_required"
"""The word for a unit that a stage does not apply to."""


class Stage(StrEnum):
    """The stages that a unit may pass."""

    REGISTERED = "registered"
    ARCHIVED = "archived"
    SAMPLED = "sampled"
    SLICED = "sliced"
    PROCESSED = "processed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A unit that is not done: where it was last seen and why it is there."""

    name: str
    stage: Stage
    word: str
    """A work-item word, or `missing`."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The account of one run.

    `stages` maps each stage to the number of units per word; the numbers of one stage add up to `registered`.
    """

    run: int
    produced: int | None
    """Units that the producer says it made; None while the run has not ended."""
    registered: int
    missing: int
    """`produced - registered`; before the end of the run, the gaps in the sequence seen so far."""
    stages: Mapping[Stage, Mapping[str, int]]
    undone: tuple[Undone, ...] = ()
    """The first of them, by name; `undone_total` counts them all."""
    undone_total: int = 0

    @property
    def balanced(self) -> bool:
        """Whether the run can be closed: every produced unit registered, and each one final at every stage."""
        final = all(not any(words.get(state, 0) for state in UNFINISHED) for words in self.stages.values())
        return self.produced is not None and self.missing == 0 and final

    @property
    def complete(self) -> bool:
        """Balanced, and nothing failed, expired or was cancelled."""
        good = {WorkState.COMPLETED.value, NOT_REQUIRED}
        return self.balanced and all({w for w, n in words.items() if n} <= good for words in self.stages.values())
