"""How far the DAQ may be ahead of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from slice_rows import make_run, make_slices, make_stf
from swf.core.ids import CountingIds
from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.epic.agents.backlog import Backlog
from swf.epic.models import FastMonFile, RunState
from swf.epic.run_settings import settings_from

WINDOW = 4
CLOCK = ManualClock()


def backlog(**settings: object) -> Backlog:
    return Backlog(
        1, settings_from("fast_processing", {"fast_processing": {"slices_per_sample": 5, **settings}}), WINDOW
    )


def through(**figures: int) -> None:
    RunState.objects.update(**figures)


def announced(backlog: Backlog) -> int:
    """How many STFs it allows to be announced."""
    number = 0
    while number < 100 and backlog.allows(number + 1):
        number += 1
    return number


@pytest.fixture
def ids(store: Path) -> CountingIds:
    return CountingIds()


def test_before_anything_is_registered_the_window_is_allowed(ids: CountingIds) -> None:
    assert announced(backlog()) == WINDOW
    make_run(1, CLOCK)
    assert announced(backlog()) == WINDOW


def test_what_is_registered_sliced_and_processed_is_through(ids: CountingIds) -> None:
    make_run(1, CLOCK)
    through(stf_registered=4)
    assert announced(backlog()) == WINDOW
    through(stf_samples_received=3, slices_queued=15)
    assert announced(backlog()) == WINDOW
    through(slices_queued=5)
    assert announced(backlog()) == WINDOW + 2
    through(stf_samples_received=4, slices_queued=0)
    assert announced(backlog()) == WINDOW + 4


def test_stfs_that_are_not_sampled_are_through_when_they_are_registered(ids: CountingIds) -> None:
    make_run(1, CLOCK)
    through(stf_registered=4)
    assert announced(backlog(stf_sampling_rate=0.0)) == WINDOW + 4
    assert announced(backlog(stf_sampling_rate=0.5)) == WINDOW + 2
    assert announced(Backlog(1, settings_from("stf_datataking", {}), WINDOW)) == WINDOW + 4


def test_stfs_that_are_lost_do_not_hold_the_daq_up_for_ever(ids: CountingIds) -> None:
    run = make_run(1, CLOCK)
    for number in range(1, 5):
        make_stf(run, number, CLOCK, ids, status=WorkState.FAILED)
    through(stf_registered=4)
    assert announced(backlog()) == WINDOW + 4


def test_samples_that_are_lost_do_not_hold_the_daq_up_for_ever(ids: CountingIds) -> None:
    run = make_run(1, CLOCK)
    for number in range(1, 5):
        make_slices(run, 1, CLOCK, ids, sequence=number)
    FastMonFile.objects.update(status=WorkState.FAILED)
    through(stf_registered=4, slices_queued=0)
    assert announced(backlog()) == WINDOW + 4
