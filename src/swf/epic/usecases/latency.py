"""How long each stage of a run takes, from the rows of its latest units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.core.work import WorkState
from swf.epic.models import StfFile, TfSlice
from swf.epic.usecases.lookup import find_run
from swf.store.models import Attempt

LATEST: Final = 2000
"""So many of the latest slices, and of the latest STFs, are looked at: a run may have millions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLatency(Shown):
    """How long a stage took: median and 99th percentile over `units` of them, in seconds; None where there are none."""

    stage: str
    text: str
    units: int
    p50_s: float | None
    p99_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLatency(Shown):
    """The latency of a run by stage, of its latest completed units."""

    run: int
    simulated: bool
    stages: tuple[StageLatency, ...]


_TEXTS: Final = {
    "verified": "from the registration of an STF to the end of its verification",
    "sampled": "from the end of an STF's verification to its TF sample file",
    "sliced": "from a TF sample file to its slices in the queue",
    "waited": "from a slice in the queue to the beginning of the attempt that completed it",
    "processed": "from the beginning of that attempt to its end, the result on its way included",
    "whole": "from the registration of an STF to the completion of a slice of it",
}


def run_latency(run_number: int, scene: Scene) -> RunLatency:
    """The latency of a run by stage: median and 99th percentile, over its latest units.

    Raises:
        UnknownNameError: there is no such run.
    """
    run = find_run(run_number, scene.namespaces)
    durations: dict[str, list[float]] = {stage: [] for stage in _TEXTS}
    for stage, begin, end in (*_of_stfs(run_number), *_of_slices(run_number)):
        durations[stage].append(max(0.0, (end - begin).total_seconds()))
    return RunLatency(
        run=run_number,
        simulated=run.simulated,
        stages=tuple(_stage(stage, sorted(durations[stage])) for stage in _TEXTS),
    )


def _of_stfs(run_number: int) -> Iterator[tuple[str, datetime, datetime]]:
    verified = StfFile.objects.filter(run_id=run_number, status=WorkState.COMPLETED).order_by("-sequence")[:LATEST]
    for registered, done in verified.values_list("created_at", "updated_at"):
        yield "verified", registered, done


def _of_slices(run_number: int) -> Iterator[tuple[str, datetime, datetime]]:
    done = TfSlice.objects.filter(run_number=run_number, status=WorkState.COMPLETED).order_by("-id")[:LATEST]
    columns = ("name", "attempt", "created_at", "completed_at", "fastmon_file_id", "fastmon_file__updated_at")
    slices = list(done.values_list(*columns, "stf__created_at", "stf__updated_at"))
    begun = _beginnings(name for name, *_ in slices)
    sampled: set[int] = set()
    for name, attempt, queued, completed, sample, sample_done, registered, verified in slices:
        if sample not in sampled:
            sampled.add(sample)
            yield "sampled", verified, sample_done
            yield "sliced", sample_done, queued
        if completed is None:
            continue
        yield "whole", registered, completed
        begin = begun.get((name, attempt))
        if begin is not None:
            yield "waited", queued, begin
            yield "processed", begin, completed


def _beginnings(names: Iterable[str]) -> dict[tuple[str, int], datetime]:
    rows = Attempt.objects.filter(item__in=list(names), started_at__isnull=False)
    return {(item, attempt): at for item, attempt, at in rows.values_list("item", "attempt", "started_at") if at}


def _stage(stage: str, ordered: list[float]) -> StageLatency:
    return StageLatency(
        stage=stage,
        text=_TEXTS[stage],
        units=len(ordered),
        p50_s=_percentile(ordered, 0.5),
        p99_s=_percentile(ordered, 0.99),
    )


def _percentile(ordered: list[float], share: float) -> float | None:
    """The smallest value that this share of all do not exceed."""
    return round(ordered[ceil(share * len(ordered)) - 1], 6) if ordered else None
