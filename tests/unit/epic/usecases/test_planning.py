"""Capacity plans from configurations."""

from __future__ import annotations

import json

import pytest

from swf.config import Configuration, Override, Sources, load
from swf.core.errors import ConfigError
from swf.epic.settings import FAST, KINDS, SHIPPED_WORKFLOWS, STF_DATATAKING
from swf.epic.usecases.planning import plan_workflow


def fast(**values: object) -> Configuration:
    overrides = tuple(
        Override(key=key.replace("__", "."), value=value, flag=f"--set {key}") for key, value in values.items()
    )
    return load(
        kind=FAST,
        kinds=KINDS,
        sources=Sources(overrides=overrides),
        workflow=SHIPPED_WORKFLOWS / "fast_processing_default.toml",
        shipped=[SHIPPED_WORKFLOWS],
    )


def test_full_sampling_at_the_default_period() -> None:
    planned = plan_workflow(fast(), cores=2)
    assert planned.plan is not None
    assert planned.plan.workers_needed == 205
    assert planned.plan.available.workers == 2
    assert planned.stf_rate == pytest.approx(1 / 2.2)
    assert any("205" in line for line in planned.advice)


def test_at_the_rate_of_the_detector() -> None:
    planned = plan_workflow(fast(), cores=2, rate=1.667)
    assert planned.plan is not None
    assert planned.plan.workers_needed == 750


def test_what_is_asked_for_instead() -> None:
    planned = plan_workflow(fast(), cores=64, workers=10, slice_time_s=1.0, sampling_rate=0.5)
    assert planned.plan is not None
    demand = planned.plan.demand
    assert (demand.target_workers, demand.slice_time_s, demand.sampling_rate) == (10, 1.0, 0.5)
    assert planned.plan.available.workers == 10


def test_a_run_until_it_is_stopped() -> None:
    planned = plan_workflow(fast(fast_processing__stf_count=0, fast_processing__physics_period_count=0), cores=2)
    assert planned.stf_count is None
    assert "an hour" in planned.advice[0]


def test_without_real_time_nothing_falls_behind() -> None:
    assert "waits for the workers" in plan_workflow(fast(simulation__realtime=False), cores=2).advice[-1]


def test_a_limit_on_the_workers_here_is_said() -> None:
    planned = plan_workflow(fast(processing__workers=1), cores=2)
    assert any("[processing] workers = 1 (flag --set processing__workers)" in line for line in planned.advice)


def test_workers_outside_do_not_share_the_cores_of_this_machine() -> None:
    here = plan_workflow(fast(processing__workers=1), cores=2)
    panda = {"processing__workers_by": "panda", "agents__worker__enabled": False}
    outside = plan_workflow(fast(processing__workers=1, **panda), cores=2)
    assert here.plan is not None
    assert outside.plan is not None
    assert (here.plan.available.workers, outside.plan.available.workers) == (2, outside.plan.target.workers)
    assert not any("cores" in line or "[processing] workers" in line for line in outside.advice)


def test_a_workflow_that_gives_no_work() -> None:
    configuration = load(kind=STF_DATATAKING, kinds=KINDS, shipped=[SHIPPED_WORKFLOWS])
    planned = plan_workflow(configuration, cores=2)
    assert planned.plan is None
    assert "gives no work" in planned.advice[0]


@pytest.mark.parametrize("change", [{"rate": 0.0}, {"workers": 0}, {"slice_time_s": -1.0}, {"sampling_rate": 1.5}])
def test_what_cannot_be_planned(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="cannot be planned"):
        plan_workflow(fast(), cores=2, **change)  # type: ignore[arg-type]


def test_a_plan_is_plain_json() -> None:
    value = plan_workflow(fast(), cores=2).as_json()
    assert json.loads(json.dumps(value)) == value
