"""How long workers take for what an hour without them has left, and whether a run that is taken waits for that."""

from __future__ import annotations

from benchmarks import servers
from benchmarks.backlog import LIVE_STF_PER_S
from benchmarks.execution import SLICES
from benchmarks.figures import Report, Table, figure
from benchmarks.options import Options
from benchmarks.processes import measure

_MESSAGES = 3 + 2 * SLICES
_HOUR, _QUICK = (6000, 400), (400, 30)
"""STFs of the backlog, and of the run that goes on meanwhile."""


def run(options: Options) -> Report:
    """Measure the run that goes on twice: alone, and beside the backlog."""
    stfs, live_stfs = _QUICK if options.quick else _HOUR
    title = f"Service mode, backlog of {stfs:,} STFs ({stfs * _MESSAGES:,} messages), beside {LIVE_STF_PER_S} STF/s"
    if why := servers.lacking():
        return Report(name="service_backlog", title=title, figures=(), notes=(f"Not measured: {why}",))
    options.progress(f"service backlog: {stfs} STFs, and {live_stfs} at {LIVE_STF_PER_S} STF/s, alone and beside them")
    measured = measure(
        "backlog:drained", options.folder, beside=str(options.folder.parent), stfs=stfs, live_stfs=live_stfs
    )
    alone, beside, drain_s = measured["alone"], measured["beside"], measured["drain_s"]
    table = Table(
        title="The run that goes on, ms from a slice being queued", columns=("", "slices", "p50", "p99", "max")
    )
    for name, one in (("alone", alone), ("beside the backlog", beside)):
        for way in ("claimed", "done"):
            part = one[way]
            quantiles = (f"{part[key]:.0f}" for key in ("p50", "p99", "max"))
            table.rows.append((f"{name}: {way}", f"{part['slices']:,}", *quantiles))
    live_p99, alone_p99 = beside["done"]["p99"], alone["done"]["p99"]
    return Report(
        name="service_backlog",
        title=title,
        figures=(
            figure("drain_s", "backlog drained after", "s", [drain_s]),
            figure("drain_slices_per_s", "slices of it", "1/s", [stfs * SLICES / drain_s]),
            figure(
                "drain_messages_per_s", "messages of it, requests and results", "1/s", [stfs * 2 * SLICES / drain_s]
            ),
            figure("live_p99_ms", "slices of the run that goes on: p99", "ms", [live_p99]),
            figure("alone_p99_ms", "baseline: the same run alone: p99", "ms", [alone_p99]),
            figure("live_ratio", "p99 over that", "x", [live_p99 / alone_p99]),
        ),
        tables=(table,),
        notes=(
            "From a worker's first claim, until the last result of the backlog is taken. One worker process.",
            "Beside the backlog: what was queued until it was drained; what waited for the worker counts from then.",
            f"The backlog was taken, sampled and sliced in {measured['filled_s']:.0f} s, without a worker.",
            "Claimed: by the worker. Done: the fast-processing agent has taken its result, in turn with all others.",
            "Every slice of all three runs was done, once, and nothing is left over.",
        ),
    )
