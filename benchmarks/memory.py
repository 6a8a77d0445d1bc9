"""Whether memory stays flat over a long run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Report, Table, below, figure
from benchmarks.options import Options
from benchmarks.processes import measure

_GOAL_MB_PER_MIN = 1
_SETTLED = 0.2
"""The first part of the run, in which caches fill, is left out of the fit."""


def run(options: Options) -> Report:
    """Measure one long run."""
    stfs = 300 if options.quick else 10_000
    options.progress(f"memory: {stfs} STFs without content")
    measured = measure("growth:grown", options.folder, stfs=stfs, limit_s=1500)
    samples = np.array(measured["samples"])
    # Closing the run reads its ledger, all STFs at once: that is not growth, and has a figure of its own.
    fitted = samples[(samples[:, 2] >= _SETTLED * stfs) & (samples[:, 2] <= stfs)]
    minutes, megabytes, announced = fitted[:, 0] / 60, fitted[:, 1], fitted[:, 2]
    slope = float(np.polyfit(minutes, megabytes, 1)[0])
    in_use = float(np.polyfit(minutes, fitted[:, 3], 1)[0])
    per_stf = float(np.polyfit(announced, megabytes, 1)[0]) * 1e6
    # The database's page cache, 64 MiB, is full after some 1,000 STFs: a smoke run grows until its end.
    goal = None if options.quick else below(_GOAL_MB_PER_MIN, "MB/min")
    return Report(
        name="memory",
        title=f"Memory over {stfs} STFs without content",
        figures=(
            figure("mb_per_min", "growth of RSS", "MB/min", [slope], goal),
            figure("in_use_mb_per_min", "growth of memory in use (malloc)", "MB/min", [in_use]),
            figure("bytes_per_stf", "growth of RSS", "bytes/STF", [per_stf]),
            figure("rss_closed_mb", "RSS when the run is closed", "MB", [float(samples[-1, 1])]),
            figure("objects_more", "more Python objects at the end", "", [_more(measured)]),
            figure("stf_per_s", "rate of this run", "STF/s", [stfs / measured["wall_s"]]),
        ),
        tables=(_course(samples, stfs), *([_kinds(measured)] if _more(measured) > 0 else [])),
        notes=(
            f"A straight line through RSS, twice a second, after the first {_SETTLED:.0%} of the STFs.",
            "Where RSS grows and what is in use does not, it is the holes between blocks that grow.",
            "Python's own small objects are not in use of malloc. Objects: those that the garbage collector follows.",
        ),
    )


def _course(samples: NDArray[np.float64], stfs: int) -> Table:
    """RSS when so many STFs were announced."""
    table = Table(title="RSS over the run", columns=("STFs", "s", "MB", "of it in use (malloc)"))
    for tenth in range(1, 11):
        reached = int(np.searchsorted(samples[:, 2], tenth * stfs / 10))
        seconds, megabytes, announced, in_use = samples[min(reached, len(samples) - 1)]
        table.rows.append((f"{min(announced, stfs):,.0f}", f"{seconds:.0f}", f"{megabytes:.1f}", f"{in_use:.1f}"))
    return table


def _more(measured: dict[str, Any]) -> float:
    return float(measured["objects_after"] - measured["objects_before"])


def _kinds(measured: dict[str, Any]) -> Table:
    table = Table(title="Objects that became more", columns=("type", "more"))
    for name, count in measured["more"]:
        table.rows.append((name, f"{count:,}"))
    return table
