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

MISSING = "missing"
"""The word for a unit that its producer says it made, and that was never registered."""

SURPLUS = "surplus"
"""The word for a registered unit that its producer says it did not make."""


class Stage(StrEnum):
    """The stages that a unit may pass."""

    REGISTERED = "registered"
    ARCHIVED = "archived"
    SAMPLED = "sampled"
    SLICED = "sliced"
    PROCESSED = "processed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A unit, or a part of one, that is not done: where it was last seen and why it is there."""

    name: str
    stage: Stage
    word: str
    """A work-item word, `missing` or `surplus`."""
    reason: str = ""
    part_of: str = ""
    """The unit of which it is a sample file or a slice; empty for a unit."""


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
    """The first of them, by name, each followed by its parts that are not done; `undone_total` counts all units."""
    undone_total: int = 0

    @property
    def balanced(self) -> bool:
        """Whether the run can be closed: what was produced is what is registered, and it is final at every stage."""
        final = all(not any(words.get(state, 0) for state in UNFINISHED) for words in self.stages.values())
        return self.produced == self.registered and self.missing == 0 and final

    @property
    def complete(self) -> bool:
        """Balanced, and nothing failed, expired or was cancelled."""
        good = {WorkState.COMPLETED.value, NOT_REQUIRED}
        return self.balanced and all({w for w, n in words.items() if n} <= good for words in self.stages.values())
