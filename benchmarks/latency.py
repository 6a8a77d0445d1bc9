"""How soon an STF's last slice is in the workers' queue, at the pace of the detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.figures import Figure, Report, Table, below, figure, quantile
from benchmarks.options import Options
from benchmarks.paced import PERIOD_S
from benchmarks.processes import measure

_GOAL_P99_MS = 250

_PARTS = (
    ("due", "stf_gen", "due -> stf_gen (a file: made and written)"),
    ("stf_gen", "verify", "stf_gen -> verification begins"),
    ("verify", "stf_ready", "verification -> stf_ready"),
    ("stf_gen", "stf_ready", "stf_gen -> stf_ready"),
    ("stf_ready", "sample", "stf_ready -> sampling begins"),
    ("sample", "tf_file_registered", "sampling -> tf_file_registered"),
    ("stf_ready", "tf_file_registered", "stf_ready -> tf_file_registered"),
    ("tf_file_registered", "slice", "tf_file_registered -> slices"),
    ("slice", "committed", "slices -> committed"),
)


def run(options: Options) -> Report:
    """Measure without content, then with files of 20 MB."""
    stfs = 17 if options.quick else 110
    measured = {}
    for name, files in (("none", False), ("files", True)):
        options.progress(f"latency: {stfs} STFs at one per {PERIOD_S} s, {'files of 20 MB' if files else 'no content'}")
        measured[name] = measure("paced:paced", options.folder, stfs=stfs, files=files)
    return Report(
        name="latency",
        title=f"Latency at {1 / PERIOD_S:.2f} STF/s: {stfs} STFs of 15 slices each way",
        figures=(
            *_figures("none", "no content", measured["none"], _GOAL_P99_MS),
            *_figures("files", "files of 20 MB, 1,000 TFs", measured["files"], None),
        ),
        tables=(_parts("none", measured["none"]), _parts("files", measured["files"])),
        notes=(
            "From the instant of stf_gen in the event log to the commit of the transaction that queues the last slice.",
            f"With {stfs} STFs the p99 is the {'largest' if stfs < 100 else 'second largest'} value.",
            "Round trips include what the agents ask at intervals; at this pace a transaction holds one STF, not many.",
            "With files, the SIMULATED hits are made, written, verified and sampled by threads of the same process.",
        ),
    )


def _figures(key: str, text: str, measured: dict[str, Any], goal: float | None) -> tuple[Figure, ...]:
    stfs: list[dict[str, float]] = measured["stfs"]
    ms = [(stf["committed"] - stf["stf_gen"]) * 1e3 for stf in stfs]
    rate = (len(stfs) - 1) / (stfs[-1]["stf_gen"] - stfs[0]["stf_gen"])
    return (
        figure(f"{key}_p50_ms", f"{text}: p50", "ms", [quantile(ms, 0.5)]),
        figure(f"{key}_p99_ms", f"{text}: p99", "ms", [quantile(ms, 0.99)], below(goal, "ms") if goal else None),
        figure(f"{key}_stf_per_s", f"{text}: rate that was held", "STF/s", [rate]),
        figure(f"{key}_round_trips", f"{text}: round trips per STF", "", [measured["round_trips"] / len(stfs)]),
        figure(f"{key}_cpu", f"{text}: CPU, cores in use", "", [measured["cpu_s"] / measured["wall_s"]]),
    )


def _parts(key: str, measured: dict[str, Any]) -> Table:
    stfs: Sequence[dict[str, float]] = measured["stfs"]
    table = Table(title=f"Where an STF is meanwhile, ms ({key})", columns=("part", "p50", "p99", "max"))
    has_files = "verify" in stfs[0]
    for first, last, text in _PARTS:
        whole = {first, last} in ({"stf_gen", "stf_ready"}, {"stf_ready", "tf_file_registered"})
        if first not in stfs[0] or last not in stfs[0] or (whole and has_files):
            continue
        ms = [(stf[last] - stf[first]) * 1e3 for stf in stfs]
        table.rows.append((text, *(f"{value:.1f}" for value in (quantile(ms, 0.5), quantile(ms, 0.99), max(ms)))))
    return table
