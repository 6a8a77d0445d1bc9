"""Whether four times the full output of a detector's DAQ passes through the service mode, and for how long."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks import servers
from benchmarks.execution import SLICES
from benchmarks.figures import Figure, Goal, Report, Table, at_least, below, figure
from benchmarks.options import Options
from benchmarks.processes import measure
from benchmarks.serving import DRAINED_S, REACHED, is_held

_GOAL_STF_PER_S, _FLOOR_STF_PER_S = 25.0, 16.7
_GOAL_P99_MS, _GOAL_MB_PER_MIN = 1000, 1
_SETTLED = 0.2
"""The first part of the run, in which caches fill and the broker's code is compiled, is left out of fits."""

_CORES = len(os.sched_getaffinity(0))

_MESSAGES = 3 + 2 * SLICES
"""Messages per STF: stf_gen, stf_ready, tf_file_registered, and for each slice its request and its result."""

_RAMP = (16.7, 20.0, 25.0, 27.5, 30.0, 35.0, 40.0, 45.0, 50.0, 60.0, 70.0, 80.0)


def run(options: Options) -> Report:
    """Measure one long run at the goal's rate, then short ones at higher and higher rates."""
    title = f"Service mode at {_GOAL_STF_PER_S:g} STF/s: ActiveMQ, PostgreSQL, one process per agent, no-op payload"
    if why := servers.lacking():
        return Report(name="service_rate", title=title, figures=(), notes=(f"Not measured: {why}",))
    seconds, rung_s, messages = (30.0, 10.0, 10_000) if options.quick else (600.0, 30.0, 40_000)
    options.progress(f"service rate: {_GOAL_STF_PER_S:g} STF/s for {seconds:.0f} s, then higher rates")
    measured = measure(
        "serving:rate",
        options.folder,
        beside=str(options.folder.parent),
        stf_per_s=_GOAL_STF_PER_S,
        seconds=seconds,
        ramp=[rate for rate in _RAMP if not options.quick or rate <= 2 * _GOAL_STF_PER_S],
        rung_s=rung_s,
        messages=messages,
    )
    return Report(
        name="service_rate",
        title=title,
        figures=_figures(measured, options),
        tables=(_processes(measured), _rates(measured)),
        notes=(
            _limit(measured),
            f"{measured['stfs']:,} STFs in all; every slice was done, once, and nothing is left over.",
            "stf_gen: when the DAQ's transaction begins. Queued: the commit that queues an STF's slices. Claimed: that",
            "of the claim of its last slice, so that the broker had it before. Done: that which takes a result.",
            "The broker alone: requests for slices through one queue, with receipts, one publisher and one consumer.",
            f"A rate is held where {REACHED:.0%} of it are reached and the last result comes within {DRAINED_S:g} s.",
        ),
    )


def _figures(measured: Mapping[str, Any], options: Options) -> tuple[Figure, ...]:
    held, ceiling = measured["held"], measured["ceiling"]
    highest = max((each["asked_per_s"] for each in (held, *measured["rungs"]) if is_held(each)), default=0.0)
    messages = held["stf_per_s"] * _MESSAGES
    cpu_ms = sum(_cpu_ms(held).values())
    growth = max(_slopes(held["samples"]).values())
    goal_growth = None if options.quick else below(_GOAL_MB_PER_MIN, "MB/min")
    return (
        figure("stf_per_s", "STFs", "STF/s", [held["stf_per_s"]], at_least(0.99 * _GOAL_STF_PER_S, "STF/s")),
        figure("messages_per_s", "messages", "1/s", [messages]),
        figure("drained_s", "last stf_gen -> last result", "s", [held["drained_s"]]),
        *_latencies("queued", "stf_gen -> slices queued", held, below(_GOAL_P99_MS, "ms")),
        *_latencies("claimed", "stf_gen -> all slices claimed", held),
        *_latencies("done", "slice queued -> result taken", held),
        figure("highest_stf_per_s", "highest rate held", "STF/s", [highest], at_least(_FLOOR_STF_PER_S, "STF/s")),
        figure("cpu_ms_per_stf", "CPU time per STF, all processes", "ms", [cpu_ms]),
        figure("bound_stf_per_s", "all cores over that", "STF/s", [_CORES * 1e3 / cpu_ms]),
        figure("ceiling_per_s", "baseline: the broker alone", "1/s", [ceiling["per_s"]]),
        figure("ratio_to_ceiling", "highest rate's messages over that", "x", [highest * _MESSAGES / ceiling["per_s"]]),
        figure("mb_per_min", "growth of RSS, the agent that grows most", "MB/min", [growth], goal_growth),
        figure("descriptors_more", "more descriptors at the end, agents", "", [_more(held, "descriptors")]),
        figure("threads_more", "more threads at the end, agents", "", [_more(held, "threads")]),
    )


def _latencies(key: str, text: str, held: Mapping[str, Any], goal: Goal | None = None) -> tuple[Figure, Figure]:
    ms = held[f"{key}_ms"]
    return (
        figure(f"{key}_p50_ms", f"{text}: p50", "ms", [ms["p50"]]),
        figure(f"{key}_p99_ms", f"{text}: p99", "ms", [ms["p99"]], goal),
    )


def _settled(samples: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return samples[int(len(samples) * _SETTLED) :]


def _agents(samples: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in samples[0]["processes"] if name not in servers.NAMES]


def _slopes(samples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Growth of each agent's memory in MB/min, by a straight line."""
    settled = _settled(samples)
    minutes = [each["s"] / 60 for each in settled]
    return {name: _slope(minutes, settled, name) for name in _agents(samples)}


def _slope(minutes: Sequence[float], samples: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(np.polyfit(minutes, [each["processes"][name]["rss_mb"] for each in samples], 1)[0])


def _more(held: Mapping[str, Any], what: str) -> float:
    first, last = _settled(held["samples"])[0]["processes"], held["samples"][-1]["processes"]
    return float(max(last[name][what] - first[name][what] for name in _agents(held["samples"])))


def _cores(samples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """CPU of each process over the time of the samples, in cores; `machine` is what anybody used."""
    first, last = samples[0], samples[-1]
    seconds = last["s"] - first["s"]
    cores = {
        name: (last["processes"][name]["cpu_s"] - first["processes"][name]["cpu_s"]) / seconds
        for name in first["processes"]
    }
    return {**cores, "machine": (last["machine_cpu_s"] - first["machine_cpu_s"]) / seconds}


def _cpu_ms(held: Mapping[str, Any]) -> dict[str, float]:
    """CPU time of each process per STF of a run, in ms."""
    first, last = held["samples"][0]["processes"], held["samples"][-1]["processes"]
    return {name: (last[name]["cpu_s"] - first[name]["cpu_s"]) / held["stfs"] * 1e3 for name in first}


def _processes(measured: Mapping[str, Any]) -> Table:
    held = measured["held"]
    settled = _settled(held["samples"])
    columns = ("process", "cores", "CPU, ms per STF", "RSS, MB", "MB/min", "descriptors", "threads")
    table = Table(title=f"What processes use at {held['stf_per_s']:.1f} STF/s", columns=columns)
    cores, per_stf = _cores(settled), _cpu_ms(held)
    minutes = [each["s"] / 60 for each in settled]
    for name, last in settled[-1]["processes"].items():
        table.rows.append(
            (
                name,
                f"{cores[name]:.2f}",
                f"{per_stf[name]:.1f}",
                f"{last['rss_mb']:.0f}",
                f"{_slope(minutes, settled, name):.2f}",
                str(last["descriptors"]),
                str(last["threads"]),
            )
        )
    ours = sum(cores.values()) - cores["machine"]
    table.rows.append(("all", f"{ours:.2f}", f"{sum(per_stf.values()):.1f}", "", "", "", ""))
    table.rows.append(("others on this machine", f"{max(0.0, cores['machine'] - ours):.2f}", "", "", "", "", ""))
    return table


def _rates(measured: Mapping[str, Any]) -> Table:
    columns = ("asked, STF/s", "reached", "queued, p99 ms", "claimed, p99 ms", "done, p99 ms", "drained, s", "held")
    table = Table(title="Rates, one after the other", columns=columns)
    for each in (measured["held"], *measured["rungs"]):
        p99 = (f"{each[f'{name}_ms']['p99']:.0f}" for name in ("queued", "claimed", "done"))
        held = "yes" if is_held(each) else "no"
        rates = (f"{each['asked_per_s']:g}", f"{each['stf_per_s']:.1f}")
        table.rows.append((*rates, *p99, f"{each['drained_s']:.1f}", held))
    return table


def _limit(measured: Mapping[str, Any]) -> str:
    """What the highest rate has run into, in one sentence."""
    last = (measured["held"], *measured["rungs"])[-1]
    cores = _cores(last["samples"])
    machine = cores.pop("machine")
    most = max(cores, key=lambda name: cores[name])
    ours = sum(cores.values())
    return (
        f"What limits at {last['asked_per_s']:g} STF/s: {machine:.2f} cores were busy, {ours:.2f} of them with this; "
        f"{most} took most, {cores[most]:.2f}, which is {cores[most] / ours:.0%} of it."
    )
