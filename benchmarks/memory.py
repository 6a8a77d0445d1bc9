"""Whether memory stays flat over a long run."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.figures import Report, Table, below, figure
from benchmarks.options import Options
from benchmarks.processes import measure

_GOAL_MB_PER_MIN = 1
_SETTLED = 0.2
"""The first part of the run, in which caches fill, is left out of the fit."""


def run(options: Options) -> Report:
    """Measure one long run."""
    stfs = 500 if options.quick else 10_000
    options.progress(f"memory: {stfs} STFs without content")
    measured = measure("growth:grown", options.folder, stfs=stfs, limit_s=1500)
    samples = np.array(measured["samples"])
    fitted = samples[samples[:, 2] >= _SETTLED * stfs]
    minutes, megabytes, announced = fitted[:, 0] / 60, fitted[:, 1], fitted[:, 2]
    slope = float(np.polyfit(minutes, megabytes, 1)[0])
    per_stf = float(np.polyfit(announced, megabytes, 1)[0]) * 1e6
    # The database's page cache, 64 MiB, is full after some 1,000 STFs: a smoke run grows until its end.
    goal = None if options.quick else below(_GOAL_MB_PER_MIN, "MB/min")
    return Report(
        name="memory",
        title=f"Memory over {stfs} STFs without content",
        figures=(
            figure("mb_per_min", "growth of RSS", "MB/min", [slope], goal),
            figure("bytes_per_stf", "growth of RSS", "bytes/STF", [per_stf]),
            figure("rss_begin_mb", f"RSS after {_SETTLED:.0%}", "MB", [float(megabytes[0])]),
            figure("rss_end_mb", "RSS at the end", "MB", [float(megabytes[-1])]),
            figure("objects_more", "more Python objects at the end", "", [_more(measured)]),
            figure("stf_per_s", "rate of this run", "STF/s", [stfs / measured["wall_s"]]),
        ),
        tables=(_kinds(measured),) if _more(measured) > 0 else (),
        notes=(
            f"A straight line through RSS, twice a second, after the first {_SETTLED:.0%} of the STFs.",
            "Objects: those that the garbage collector follows.",
        ),
    )


def _more(measured: dict[str, Any]) -> float:
    return float(measured["objects_after"] - measured["objects_before"])


def _kinds(measured: dict[str, Any]) -> Table:
    table = Table(title="Objects that became more", columns=("type", "more"))
    for name, count in measured["more"]:
        table.rows.append((name, f"{count:,}"))
    return table
