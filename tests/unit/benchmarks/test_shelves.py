"""The store that the catalogue's benchmark fills is one that agents could have left."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.shelves import NAMESPACE, Shelves, fill

from swf.core.scene import Scene, only
from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.epic.accounting import ledger_of
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.epic.names import parse_slice_name, parse_stf_name, parse_tf_sample_name, slice_name, stf_name
from swf.epic.usecases.explain import explain
from swf.store.models import Event, Run

SHELVES = Shelves(runs=2, stfs=3)


@pytest.fixture
def clock(store: Path) -> ManualClock:
    clock = ManualClock()
    fill(SHELVES, clock.now())
    return clock


@pytest.mark.usefixtures("clock")
def test_runs_are_whole_and_their_figures_are_those_of_their_rows() -> None:
    for run in SHELVES.numbers:
        ledger = ledger_of(run)
        assert (ledger.produced, ledger.registered, ledger.missing, ledger.undone_total) == (3, 3, 0, 1)
        assert ledger.balanced
        state = RunState.objects.get(pk=run)
        assert state.stf_registered == StfFile.objects.filter(run_id=run).count()
        slices = TfSlice.objects.filter(run_number=run)
        assert state.slices_created == state.slices_completed == slices.count() == 15 * SHELVES.good
    assert list(Run.objects.filter(closed_at=None).values_list("run_number", flat=True)) == [SHELVES.numbers[-1]]


@pytest.mark.usefixtures("clock")
def test_names_and_relations_are_those_of_the_instrument() -> None:
    for stf in StfFile.objects.all():
        assert parse_stf_name(stf.name) == (stf.run_id, stf.sequence)
        assert (stf.attached_at is None) == (stf.run.closed_at is None or stf.status == WorkState.FAILED)
    for sample in FastMonFile.objects.select_related("stf"):
        assert parse_tf_sample_name(sample.name) == (sample.stf.name, 1)
    for item in TfSlice.objects.select_related("stf", "fastmon_file"):
        assert parse_slice_name(item.name) == (item.stf.name, item.slice_id)
        assert item.fastmon_file.stf_id == item.stf_id
    assert set(Event.objects.filter(type="stf_gen").values_list("subject", flat=True)) == set(
        StfFile.objects.values_list("name", flat=True)
    )


def test_it_can_be_explained(clock: ManualClock) -> None:
    scene = Scene(now=clock.now(), namespaces=only(NAMESPACE))
    name = stf_name(SHELVES.numbers[0], 2)
    assert explain(name, scene).state == "completed"
    assert len(explain(name, scene).events) == 2
    assert explain(slice_name(name, 14), scene).state == "completed"
