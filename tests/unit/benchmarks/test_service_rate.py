"""What the benchmark of the service mode makes of its samples."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from benchmarks import service_rate
from benchmarks.instants import Instants
from benchmarks.options import Options
from benchmarks.serving import is_held
from benchmarks.usage import usage_of


def process(cpu_s: float, rss_mb: float, descriptors: int = 11) -> dict[str, float]:
    return {"cpu_s": cpu_s, "rss_mb": rss_mb, "descriptors": descriptors, "threads": 4}


def held(**changes: Any) -> dict[str, Any]:
    ms = {"p50": 10.0, "p99": 20.0, "max": 30.0}
    samples = [
        {
            "s": float(second),
            "machine_cpu_s": 1.5 * second,
            "processes": {
                "data": process(0.1 * second, 90 + second / 60, descriptors=11 + second // 50),
                "PostgreSQL": process(0.4 * second, 300 + second),
            },
        }
        for second in range(61)
    ]
    latencies = {"queued_ms": ms, "claimed_ms": ms, "done_ms": ms}
    return {
        "stf_per_s": 25.0,
        "drained_s": 0.5,
        "samples": samples,
        "stfs": 1500,
        "asked_per_s": 25.0,
        **latencies,
    } | changes


def figures(measured: dict[str, Any]) -> dict[str, float]:
    options = Options(folder=Path(), quick=False, progress=lambda text: None)
    return {each.name: each.spread.median for each in service_rate._figures(measured, options)}


def test_figures_are_of_the_run_and_of_agents_alone() -> None:
    rungs = [held(asked_per_s=30.0, stf_per_s=29.9), held(asked_per_s=40.0, drained_s=9.0)]
    found = figures({"held": held(), "rungs": rungs, "ceiling": {"per_s": 3300.0}})
    assert found["cpu_ms_per_stf"] == pytest.approx(20)  # 0.5 cores for 60 s, over 1,500
    assert found["mb_per_min"] == pytest.approx(1), "a server may grow"
    assert found["descriptors_more"] == 1
    assert found["highest_stf_per_s"] == 30
    assert found["ratio_to_ceiling"] == pytest.approx(0.3)


def test_a_rate_that_is_announced_but_not_worked_off_is_not_held() -> None:
    assert is_held(held())
    assert not is_held(held(drained_s=2.1))
    assert not is_held(held(stf_per_s=24.0))


def test_the_limit_names_who_takes_most() -> None:
    text = service_rate._limit({"held": held(), "rungs": []})
    assert "1.50 cores were busy, 0.50 of them with this; PostgreSQL took most, 0.40, which is 80% of it" in text


def test_times_are_per_stf_and_per_slice() -> None:
    times = Instants(
        generated={"swf.1.000001.stf": 1.0, "swf.1.000002.stf": 2.0},
        queued={"swf.1.000001.stf": 1.1, "swf.1.000002.stf": 2.2},
        claimed={"swf.1.000001_slice_000.tf": 1.2, "swf.1.000001_slice_001.tf": 1.4, "swf.1.000002_slice_000.tf": 2.5},
        done={"swf.1.000001_slice_000.tf": 1.3, "swf.1.000001_slice_001.tf": 1.6, "swf.1.000002_slice_000.tf": 2.6},
    )
    assert times.to_queued() == pytest.approx([0.1, 0.2])
    assert times.to_claimed() == pytest.approx([0.4, 0.5])
    assert times.to_done() == pytest.approx([0.2, 0.5, 0.4])
    assert times.drained_s == pytest.approx(0.6)
    assert times.stf_per_s == pytest.approx(1.0)


def test_usage_is_what_the_kernel_says_of_this_process() -> None:
    used = usage_of(os.getpid())
    assert used.cpu_s > 0
    assert used.rss_mb > 1
    assert used.descriptors >= len(list(Path("/proc/self/fd").iterdir())) - 1
    assert used.threads >= 1
