"""The run that nobody disturbed, which the disturbed ones are compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from records import Records
from scenario import Parameters

Tell = Callable[[str], None]
"""Says something to who runs the tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A run that nobody disturbed: what it left, how long it took, and the effect boundaries that it reached."""

    parameters: Parameters
    records: Records
    seconds: float
    boundaries: dict[str, int]
