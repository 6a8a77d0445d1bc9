"""How many STFs a second pass through the whole system, next to the same rows written bare in the same minutes."""

from __future__ import annotations

from statistics import median_low
from typing import Any

from benchmarks.figures import Figure, Report, Table, at_least, at_most, figure, ratios
from benchmarks.options import Options
from benchmarks.processes import measure

REAL_TIME_STF_PER_S = 1.67
"""The rate of a detector's DAQ: an STF of about 1,000 TFs every 0.6 s."""

REST_CALLS = 771
"""What the existing system's agents ask of its monitor for one STF at 15 slices, by REST."""

_GOAL_STF_PER_S, _GOAL_ROUND_TRIPS = 60, 12


def run(options: Options) -> Report:
    """Measure system and baseline in turn."""
    stfs, repeats = (100, 1) if options.quick else (600, 3)
    kept = options.folder / "throughput.sqlite3"
    runs: list[dict[str, Any]] = []
    bare: list[dict[str, Any]] = []
    for number in range(1, repeats + 1):
        options.progress(f"throughput {number}/{repeats}: {stfs} STFs through the system")
        runs.append(measure("system:unpaced", options.folder, stfs=stfs, keep=str(kept)))
        options.progress(f"throughput {number}/{repeats}: the same rows bare")
        bare.append(measure("baseline:replay", options.folder, database=str(kept)))
        kept.unlink()
    middle = next(r for r in runs if r["wall_s"] == median_low([r["wall_s"] for r in runs]))
    return Report(
        name="throughput",
        title=f"Throughput: {repeats} x {stfs} STFs of 15 slices, no content, no-op payload, embedded",
        figures=_figures(stfs, runs, bare),
        tables=(where_the_time_goes(middle, stfs),),
        notes=(
            _limit(middle),
            "From the first step of the DAQ to the run closed by its ledger. CPU is that of the one process.",
            f"Rows per STF: {_rows(middle, stfs)}.",
            "A round trip is a statement, BEGIN and COMMIT included; an executemany of one statement is one.",
            "Both baselines write the rows of this very run in 6 transactions per STF: by Django's bulk_create, and",
            "those same statements by the sqlite3 module alone (nothing of Python around them: a floor).",
        ),
    )


def where_the_time_goes(measured: dict[str, Any], stfs: int) -> Table:
    """The time of each agent per STF, and what it consists of."""
    columns = ("agent", "ms per STF", "share", "statements", "commits", "Python", "round trips")
    table = Table(title="Where the time goes, of the middle run (ms per STF)", columns=columns)
    stages: dict[str, dict[str, float]] = measured["stages"]
    wall = measured["wall_s"]
    busy = {name: sum(stage[name] for stage in stages.values()) for name in next(iter(stages.values()))}
    for role, stage in sorted(stages.items(), key=lambda item: -item[1]["wall_s"]):
        if role != "loop":
            table.rows.append(_row(role, stage, wall, stfs))
    table.rows.append(_row("all", busy, wall, stfs))
    idle = wall - busy["wall_s"]
    table.rows.append(("waiting", f"{idle / stfs * 1e3:.2f}", f"{idle / wall:.0%}", "", "", "", ""))
    return table


def _limit(measured: dict[str, Any]) -> str:
    """What takes most of the time, in one sentence."""
    stages: dict[str, dict[str, float]] = measured["stages"]
    role = max(stages, key=lambda name: stages[name]["wall_s"])
    shares = {
        name: sum(stage[key] for stage in stages.values()) / measured["wall_s"]
        for name, key in (("Python", "python_s"), ("statements", "statements_s"), ("commits", "commits_s"))
    }
    most = max(shares, key=lambda name: shares[name])
    return (
        f"What limits: one thread does it all; {most} {'is' if most == 'Python' else 'are'} {shares[most]:.0%} of the "
        f"time, and {role} takes most of it ({stages[role]['wall_s'] / measured['wall_s']:.0%})."
    )


def _row(name: str, stage: dict[str, float], wall: float, stfs: int) -> tuple[str, ...]:
    parts = (stage["statements_s"], stage["commits_s"], stage["python_s"])
    return (
        name,
        f"{stage['wall_s'] / stfs * 1e3:.2f}",
        f"{stage['wall_s'] / wall:.0%}",
        *(f"{seconds / stfs * 1e3:.2f}" for seconds in parts),
        f"{(stage['statements'] + stage['commits']) / stfs:.1f}",
    )


def _figures(stfs: int, runs: list[dict[str, Any]], bare: list[dict[str, Any]]) -> tuple[Figure, ...]:
    rate = [stfs / r["wall_s"] for r in runs]
    django = [b["stfs"] / b["django_s"] for b in bare]
    statements = [b["stfs"] / b["statements_s"] for b in bare]
    trips = [r["round_trips"] / stfs for r in runs]
    return (
        figure("stf_per_s", "STFs", "STF/s", rate, at_least(_GOAL_STF_PER_S, "STF/s")),
        figure("times_real_time", f"over {REAL_TIME_STF_PER_S} STF/s", "x", [r / REAL_TIME_STF_PER_S for r in rate]),
        figure("messages_per_s", "messages", "1/s", [r["rows"]["messages"] / r["wall_s"] for r in runs]),
        figure("cpu_ms_per_stf", "CPU time per STF", "ms", [r["cpu_s"] / stfs * 1e3 for r in runs]),
        figure("django_stf_per_s", "baseline: Django, 6 transactions", "STF/s", django),
        figure("ratio_to_django", "system over that", "x", ratios(rate, django)),
        figure("statements_stf_per_s", "baseline: its statements alone", "STF/s", statements),
        figure("ratio_to_statements", "system over that", "x", ratios(rate, statements)),
        figure("round_trips_per_stf", "database round trips per STF", "", trips, at_most(_GOAL_ROUND_TRIPS)),
        figure("transactions_per_stf", "transactions per STF", "", [r["transactions"] / stfs for r in runs]),
        figure(
            "rest_calls_over_round_trips", f"{REST_CALLS} REST calls over that", "x", [REST_CALLS / t for t in trips]
        ),
    )


def _rows(measured: dict[str, Any], stfs: int) -> str:
    return ", ".join(f"{name} {count / stfs:.1f}" for name, count in measured["rows"].items() if name != "messages")
