"""Two runs beside each other: what differs in their parameters, and their figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.epic.models import RunState
from swf.epic.usecases.lookup import execution_of, find_run
from swf.epic.usecases.runs import figures_of
from swf.store.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Shown):
    """A parameter in which two runs differ, with where each value came from; None where a run has no such parameter."""

    parameter: str
    first: Any
    second: Any
    first_origin: str | None
    second_origin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Shown):
    """A figure of two runs; None where one has none yet."""

    name: str
    first: float | None
    second: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Shown):
    """Two runs beside each other. `same` counts the parameters that have one value in both."""

    first: int
    second: int
    simulated: tuple[bool, bool]
    differences: tuple[Difference, ...]
    same: int
    figures: tuple[Figure, ...]


def compare_runs(first: int, second: int, scene: Scene) -> Comparison:
    """What differs between two runs: parameters with their origin, and figures.

    Raises:
        UnknownNameError: there is no such run.
    """
    runs = [find_run(number, scene.namespaces) for number in (first, second)]
    (values, origins), (others, other_origins) = (_parameters(run) for run in runs)
    names = sorted(values.keys() | others.keys())
    differences = tuple(
        Difference(
            parameter=name,
            first=values.get(name),
            second=others.get(name),
            first_origin=origins.get(name),
            second_origin=other_origins.get(name),
        )
        for name in names
        if values.get(name) != others.get(name)
    )
    figures = [_figures(run) for run in runs]
    return Comparison(
        first=first,
        second=second,
        simulated=(runs[0].simulated, runs[1].simulated),
        differences=differences,
        same=len(names) - len(differences),
        figures=tuple(
            Figure(name=name, first=figures[0].get(name), second=figures[1].get(name))
            for name in dict.fromkeys([*figures[0], *figures[1]])
        ),
    )


def _parameters(run: Run) -> tuple[dict[str, Any], dict[str, str]]:
    execution = execution_of(run)
    if execution is None:
        return {}, {}
    origins = {name: str(origin) for name, origin in execution.parameter_origins.items()}
    return dict(_flat(execution.parameter_values)), origins


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _figures(run: Run) -> dict[str, float]:
    until = run.closed_at or run.end_time
    duration = {} if until is None else {"duration_s": round((until - run.start_time).total_seconds(), 3)}
    produced = {} if run.total_stf_files is None else {"stf_produced": run.total_stf_files}
    return {**duration, **produced, **figures_of(RunState.objects.filter(pk=run.pk).first())}
