"""How long people and agents wait for an answer where three days of runs are in the store, and a run for its end."""

from __future__ import annotations

from typing import Any

from benchmarks import servers
from benchmarks.figures import Figure, Report, Table, below, figure
from benchmarks.options import Options
from benchmarks.processes import measure

_FULL, _QUICK, _BASELINE = (72, 6000), (60, 250), (60, 110)
"""Runs, and STFs of each: 72 h of 1.67 STF/s, as the exit buffer keeps them, in runs of an hour; and the same of fewer,
whose lists are as long as those of many."""

_GOAL_P99_MS, _GOAL_CLOSED_S = 200, 5
_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def run(options: Options) -> Report:
    """Measure the large store and a small one, on each database that is installed."""
    runs, stfs = _QUICK if options.quick else _FULL
    figures: list[Figure] = []
    tables: list[Table] = []
    notes: list[str] = []
    for kind, title in _DATABASES.items():
        if kind == "postgresql" and not servers.database_installed():
            notes.append("PostgreSQL is not installed here, so that it was not measured.")
            continue
        small = _read(options, kind, *_BASELINE)
        large = _read(options, kind, runs, stfs)
        figures += _figures(kind, title, large, small)
        tables.append(_table(title, large, small))
    return Report(
        name="catalogue",
        title=f"Catalogue of {runs * stfs:,} STFs in {runs} runs, 15 slices each",
        figures=tuple(figures),
        tables=tuple(tables),
        notes=(
            *notes,
            f"The baseline is the same question to {_BASELINE[0] * _BASELINE[1]:,} STFs, in the same minutes.",
            "Each is asked through the use case, about another run or STF each time; what it answers is checked.",
            "The rows are made by the database itself; of an STF's 63 events, the three about it and its sample are.",
            f"The run that is closed has {stfs:,} STFs; none is in its dataset before, so all are attached first.",
        ),
    )


def _read(options: Options, kind: str, runs: int, stfs: int) -> dict[str, Any]:
    options.progress(f"catalogue: {_DATABASES[kind]}, {runs} runs of {stfs} STFs")
    return measure(
        "reading:read",
        options.folder,
        kind=kind,
        runs=runs,
        stfs=stfs,
        repeats=50 if options.quick else 200,
        # The server runs as another user, to whom the folder of this benchmark is closed; the one around it is not.
        beside=str(options.folder.parent),
    )


def _figures(kind: str, title: str, large: dict[str, Any], small: dict[str, Any]) -> list[Figure]:
    looks, before = large["looks"], small["looks"]
    # What people ask; the others begin with who asks.
    asked = [name for name in looks if ":" not in name]
    slowest, of_agents = (max(names, key=lambda name: looks[name]["p99"]) for names in (asked, looks.keys() - asked))
    over = {name: looks[name]["p50"] / before[name]["p50"] for name in looks}
    most = max(asked, key=lambda name: over[name])
    closed, filled = large["closed_s"], sum(large["rows"].values()) / large["filled_s"]
    goal = below(_GOAL_P99_MS, "ms")
    return [
        figure(f"{kind}_p99_ms", f"{title}: p99 of the slowest list ({slowest})", "ms", [looks[slowest]["p99"]], goal),
        figure(f"{kind}_ratio", f"{title}: p50 of a list over the baseline, the worst ({most})", "x", [over[most]]),
        figure(f"{kind}_agents_p99_ms", f"{title}: p99 of the slowest ({of_agents})", "ms", [looks[of_agents]["p99"]]),
        figure(f"{kind}_closed_s", f"{title}: a run closed", "s", [closed], below(_GOAL_CLOSED_S, "s")),
        figure(f"{kind}_rows_per_s", f"{title}: rows filled in", "1/s", [filled]),
    ]


def _table(title: str, large: dict[str, Any], small: dict[str, Any]) -> Table:
    rows = ", ".join(f"{number:,} {name}" for name, number in large["rows"].items())
    columns = ("question", "p50", "p99", "baseline p50", "baseline p99", "p50 over it")
    table = Table(title=f"{title}, ms per answer ({rows})", columns=columns)
    for name, ms in large["looks"].items():
        base = small["looks"][name]
        texts = (f"{value:.2f}" for value in (ms["p50"], ms["p99"], base["p50"], base["p99"], ms["p50"] / base["p50"]))
        table.rows.append((name, *texts))
    return table
