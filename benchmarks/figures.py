"""Figures: what was measured, how it spread, and what was hoped for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from statistics import median
from typing import Any


class WrongRunError(Exception):
    """A run that was to be measured did not do what it should: its figures mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Smallest, middle and largest of repeated measurements of one quantity."""

    minimum: float
    median: float
    maximum: float
    repeats: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(minimum=min(values), median=median(values), maximum=max(values), repeats=len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure should be: `reached` judges its median."""

    text: str
    reached: Callable[[float], bool]


def at_least(limit: float, unit: str = "") -> Goal:
    """A figure that should not be lower."""
    return Goal(text=f">= {limit:g} {unit}".rstrip(), reached=lambda value: value >= limit)


def at_most(limit: float, unit: str = "") -> Goal:
    """A figure that should not be higher."""
    return Goal(text=f"<= {limit:g} {unit}".rstrip(), reached=lambda value: value <= limit)


def below(limit: float, unit: str = "") -> Goal:
    """A figure that should be lower."""
    return Goal(text=f"< {limit:g} {unit}".rstrip(), reached=lambda value: value < limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a report."""

    name: str
    """A stable key, for `--json`."""
    text: str
    unit: str
    spread: Spread
    goal: Goal | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        return None if self.goal is None else self.goal.reached(self.spread.median)

    def as_json(self) -> dict[str, Any]:
        """The figure as one JSON object."""
        goal = {} if self.goal is None else {"goal": self.goal.text, "reached": self.reached}
        return {"name": self.name, "unit": self.unit, **asdict(self.spread), **goal}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one part of the benchmarks found."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    """What a reader should know beside the figures: how it was measured, and what limits."""
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text beside the figures, e.g. where the time went."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)


def figure(name: str, text: str, unit: str, values: Sequence[float], goal: Goal | None = None) -> Figure:
    """The figure of repeated measurements."""
    return Figure(name=name, text=text, unit=unit, spread=Spread.of(values), goal=goal)


def ratios(values: Sequence[float], baselines: Sequence[float]) -> list[float]:
    """Each value over the baseline that was measured next to it."""
    return [value / baseline for value, baseline in zip(values, baselines, strict=True)]


def quantile(values: Sequence[float], fraction: float) -> float:
    """The smallest value that at least `fraction` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(fraction * len(ordered)) - 1)]
