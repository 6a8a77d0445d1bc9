"""Runs in progress as pipelines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from swf.core.scene import Scene, only
from swf.epic.models import TfSlice
from swf.epic.usecases.pipelines import LAGGING_S, Pipeline, StageView, limiting, pipelines
from swf.epic.usecases.timeline import timeline
from taken_run import NOW, RUN, TakenRun

SCENE = Scene(now=NOW + timedelta(seconds=60), process=1)


def stage(name: str, waiting: int, lag_s: float) -> StageView:
    return StageView(
        name=name, unit="", count=0, of=None, waiting=waiting, lost=0, rate_per_s=None, lag_s=lag_s, word="working"
    )


def test_the_stage_limits_in_which_units_wait_for_longest() -> None:
    slow = stage("processed", 5, 9.0)
    assert limiting([stage("registered", 2, 3.0), slow, stage("sampled", 50, 4.0)]) is slow


def test_nothing_limits_where_nothing_waits_for_long() -> None:
    assert limiting([stage("registered", 9, LAGGING_S / 2), stage("sampled", 0, 99.0)]) is None


@pytest.fixture
def run(store: Path) -> TakenRun:
    run = TakenRun()
    run.started()
    run.processed_stf(1)
    return run


def only_one(scene: Scene = SCENE) -> Pipeline:
    (found,) = pipelines(scene)
    return found


def test_the_counts_are_those_of_the_rows(run: TakenRun) -> None:
    sample = run.sample(run.stf(2, sample_count=1, slice_count=2))
    run.slice(sample, 0, "failed")
    run.slice(sample, 1, "queued")
    TfSlice.objects.filter(status="queued").update(updated_at=NOW)
    found = only_one()
    stages = {each.name: each for each in found.stages}
    assert (stages["DAQ"].count, stages["registered"].count) == (2, 2)
    processed = stages["processed"]
    assert (processed.waiting, processed.lost, processed.lag_s, processed.word) == (1, 1, 60.0, "limits")
    assert stages["closed"].count == 1
    assert found.limit == "Processing limits: 1 wait, the oldest for 60 s."


def test_a_run_that_keeps_up_says_so(run: TakenRun) -> None:
    assert only_one().limit == "Everything keeps up with the DAQ."


def test_without_a_process_nothing_goes_on(run: TakenRun) -> None:
    found = only_one(replace(SCENE, process=None))
    assert not found.alive
    assert "No process" in found.limit


def test_a_closed_run_is_not_in_progress(run: TakenRun) -> None:
    run.ended(1, closed=True)
    assert pipelines(SCENE) == ()


def test_a_run_of_another_namespace_is_not_seen(run: TakenRun) -> None:
    assert pipelines(replace(SCENE, namespaces=only("elsewhere"))) == ()


def test_a_timeline_has_the_moves_of_the_run_in_order(run: TakenRun) -> None:
    run.event("start_run", f"run {RUN}", message=False, after_s=1, **{"from": "imminent", "to": "physics"})
    run.event("end_run", f"run {RUN}", message=False, after_s=2, **{"from": "physics", "to": "completed"})
    assert [moment.text for moment in timeline(RUN, SCENE)] == [
        "start run: imminent to physics",
        "end run: physics to completed",
    ]
