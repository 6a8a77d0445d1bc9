from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.epic.plan import Demand, plan

DEFAULT = Demand(
    stf_rate=1 / 2.2,
    stf_count=10,
    sampling_rate=1.0,
    slices_per_sample=15,
    slice_time_s=30.0,
    target_workers=30,
    cores=2,
)


def test_full_sampling_needs_205_workers_at_the_default_period_and_750_in_real_time() -> None:
    assert plan(DEFAULT).workers_needed == 205
    assert plan(replace(DEFAULT, stf_rate=1.667)).workers_needed == 750
    assert plan(replace(DEFAULT, stf_rate=5 / 3)).workers_needed == 750


def test_a_rounded_rate_does_not_cost_a_worker_but_a_real_fraction_does() -> None:
    assert plan(replace(DEFAULT, stf_rate=2 / 30, slices_per_sample=1)).workers_needed == 2
    assert plan(replace(DEFAULT, stf_rate=2.01 / 30, slices_per_sample=1)).workers_needed == 3


def test_the_default_run_on_two_cores() -> None:
    made = plan(DEFAULT)
    assert (made.stfs_sampled, made.slices) == (10, 150)
    assert made.run_s == pytest.approx(22.0)
    assert made.slices_per_s == pytest.approx(150 / 22)
    assert made.available.workers == 2
    assert made.available.utilisation == pytest.approx(102.27, abs=0.01)
    assert made.available.backlog == pytest.approx(150 - 22 / 15)
    assert made.available.drain_s == pytest.approx(15 * (150 - 22 / 15))
    assert made.target.workers == 30
    assert made.target.backlog == pytest.approx(128)
    assert made.target.sustained_sampling_rate == pytest.approx(30 / 204.545, rel=1e-4)
    assert made.advice[0] == (
        "real time needs 205 workers; 2 workers fall behind: about 149 slices wait at the end of the run, "
        "and take 37 min more"
    )
    assert made.advice[1].startswith("30 workers are asked for and this machine has 2 cores: 2 run")
    assert "sustain a sampling rate of 0.00978" in made.advice[2]


def test_enough_workers_keep_up() -> None:
    made = plan(replace(DEFAULT, target_workers=205, cores=256))
    assert made.available.keeps_up
    assert made.available.backlog == 0
    assert made.available.sustained_sampling_rate == 1.0
    assert made.advice == ("205 workers keep up: 205 needed for real time",)


@pytest.mark.parametrize("rate", [1 / 2.2, 1.667])
def test_the_workers_needed_keep_up_and_one_fewer_do_not(rate: float) -> None:
    demand = replace(DEFAULT, stf_rate=rate, cores=10_000)
    needed = plan(demand).workers_needed
    assert plan(replace(demand, target_workers=needed)).available.keeps_up
    assert not plan(replace(demand, target_workers=needed - 1)).available.keeps_up


def test_a_run_without_end_that_falls_behind_has_no_drain_time() -> None:
    made = plan(replace(DEFAULT, stf_count=None))
    assert (made.run_s, made.slices, made.available.backlog, made.available.drain_s) == (None, None, None, None)
    assert "slices an hour, for as long as the run goes on" in made.advice[0]
    assert plan(replace(DEFAULT, stf_count=None, slice_time_s=0.1)).available.backlog == 0


def test_a_run_too_short_to_be_sampled_is_said() -> None:
    made = plan(replace(DEFAULT, sampling_rate=0.04))
    assert made.slices == 0
    assert made.advice == (
        "none of the 10 STFs of this run is sampled at a sampling rate of 0.04: there is nothing to process",
    )


def test_a_plan_is_json() -> None:
    made = json.loads(json.dumps(plan(DEFAULT).as_json()))
    assert made["workers_needed"] == 205
    assert made["available"]["workers"] == 2
    assert made["demand"]["slices_per_sample"] == 15
    assert made["advice"]


@pytest.mark.parametrize(
    "change",
    [
        {"stf_rate": 0},
        {"stf_rate": float("nan")},
        {"slice_time_s": 0},
        {"cores": 0},
        {"target_workers": 0},
        {"slices_per_sample": 0},
        {"sampling_rate": 1.5},
        {"stf_count": 0},
    ],
)
def test_what_cannot_be_planned(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        plan(replace(DEFAULT, **change))  # type: ignore[arg-type]


@given(
    rate=st.floats(0.01, 10),
    count=st.integers(1, 10_000),
    sampling=st.floats(0.01, 1),
    slices=st.integers(1, 100),
    seconds=st.floats(0.01, 100),
    workers=st.integers(1, 1000),
)
def test_the_sustained_sampling_rate_is_where_workers_just_keep_up(
    rate: float, count: int, sampling: float, slices: int, seconds: float, workers: int
) -> None:
    demand = Demand(
        stf_rate=rate,
        stf_count=count,
        sampling_rate=sampling,
        slices_per_sample=slices,
        slice_time_s=seconds,
        target_workers=workers,
        cores=workers,
    )
    supply = plan(demand).available
    sustained = supply.sustained_sampling_rate
    assert plan(replace(demand, sampling_rate=sustained)).available.keeps_up
    if sustained < 0.99:
        assert not plan(replace(demand, sampling_rate=sustained * 1.01)).available.keeps_up
    assert supply.backlog is not None
    assert supply.drain_s == pytest.approx(supply.backlog * seconds / workers)
