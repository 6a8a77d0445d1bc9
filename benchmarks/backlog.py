"""What runs in a fresh process: workers come back to what an hour without them has left, while a run is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.execution import SLICES, check_rows
from benchmarks.figures import WrongRunError, quantile
from benchmarks.instants import Instants, instants
from benchmarks.serving import ROLES, follow, request, served

LIVE_STF_PER_S: Final = 1.67
"""What a detector's DAQ makes, an STF each 0.6 s."""

_FILL_STF_PER_S: Final = 50.0
_LOOK_S: Final = 0.1


def drained(*, folder: Path, beside: str, stfs: int, live_stfs: int) -> dict[str, Any]:
    """A run of `live_stfs` STFs at the detector's pace, alone; then the same while workers drain a run of `stfs` STFs
    that was taken without them."""
    with served(folder, Path(beside)) as (agents, running):
        agents.start(*ROLES)
        live_s = live_stfs / LIVE_STF_PER_S
        alone = follow(request(live_stfs, LIVE_STF_PER_S), {**agents.pids, **running.pids}, live_s * 3 + 60)
        agents.end("worker")
        began = time.perf_counter()
        backlog = request(stfs, _FILL_STF_PER_S)
        _until(lambda: _is_queued(backlog, stfs * SLICES), stfs / _FILL_STF_PER_S * 10 + 60)
        filled_s = time.perf_counter() - began
        live = request(live_stfs, LIVE_STF_PER_S)
        _until(lambda: _slices_queued(live) > 0, 60)
        agents.start("worker")
        pids = {**agents.pids, **running.pids}
        beside_it = follow(live, pids, stfs * 0.5 + live_s * 3 + 60)
        drained_run = follow(backlog, pids, stfs * 0.5 + 60)
        rows = check_rows({alone.run: live_stfs, beside_it.run: live_stfs, drained_run.run: stfs})
        drain = instants(drained_run.run)
        meanwhile = instants(beside_it.run)
        # Whichever of the two the worker has begun with.
        first = min(*drain.claimed.values(), *meanwhile.claimed.values())
        last = max(drain.done.values())
        return {
            "filled_s": filled_s,
            "drain_s": last - first,
            "alone": _figures(instants(alone.run), 0.0, float("inf")),
            # Of the run that goes on, what was queued before the backlog was drained.
            "beside": _figures(meanwhile, first, last),
            "rows": rows,
        }


def _figures(times: Instants, since: float, until: float) -> dict[str, Any]:
    """Milliseconds from a slice being queued, but not before `since`, to its claim and to its result, of those queued
    before `until`."""
    ways = {"claimed": times.of_slices(times.claimed), "done": times.of_slices(times.done)}
    ms = {
        way: [(queued + seconds - max(queued, since)) * 1e3 for queued, seconds in slices if queued < until]
        for way, slices in ways.items()
    }
    if not ms["done"]:
        raise WrongRunError("no slice of the run that goes on was queued while the backlog was drained")
    return {
        way: {"slices": len(v), "p50": quantile(v, 0.5), "p99": quantile(v, 0.99), "max": max(v)}
        for way, v in ms.items()
    }


def _until(so: Callable[[], bool], limit_s: float) -> None:
    deadline = time.perf_counter() + limit_s
    while not so():
        if time.perf_counter() > deadline:
            raise WrongRunError(f"slices were not queued within {limit_s:.0f} s")
        time.sleep(_LOOK_S)


def _slices_queued(execution: str) -> int:
    from swf.epic.models import RunState

    counts = RunState.objects.filter(run__execution_id=execution).values_list("slices_queued", flat=True)
    return counts.first() or 0


def _is_queued(execution: str, slices: int) -> bool:
    """Whether all slices of a run wait at the broker, and its end was registered."""
    from swf.store.models import OutboxMessage, Run

    ended = Run.objects.filter(execution_id=execution, end_time__isnull=False).exists()
    return ended and _slices_queued(execution) == slices and not OutboxMessage.objects.exists()
