"""The monitoring histograms of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.epic.models import MonitoringHistogram
from swf.epic.usecases.lookup import find_run


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsystemHistograms(Shown):
    """The histograms of one subsystem over a run, as far as it was sampled; `content` is as `Histograms.to_json` of
    `swf.epic.stf.histograms` gives it."""

    subsystem: str
    updated: datetime
    content: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistograms(Shown):
    """The monitoring histograms of a run, by subsystem."""

    run: int
    simulated: bool
    subsystems: tuple[SubsystemHistograms, ...]


def run_histograms(run_number: int, scene: Scene) -> RunHistograms:
    """The monitoring histograms of a run.

    Raises:
        UnknownNameError: there is no such run.
    """
    run = find_run(run_number, scene.namespaces)
    rows = MonitoringHistogram.objects.filter(run_id=run_number).order_by("subsystem")
    found = (SubsystemHistograms(subsystem=row.subsystem, updated=row.updated_at, content=row.content) for row in rows)
    return RunHistograms(run=run_number, simulated=run.simulated, subsystems=tuple(found))
