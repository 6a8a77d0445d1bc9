"""Wishing that slices are tried once more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.scene import Scene, only
from swf.core.work import WorkState
from swf.epic.models import SliceRetry, TfSlice
from swf.epic.names import slice_name, stf_name
from swf.epic.usecases.explain import explain
from swf.epic.usecases.retries import RetryRequest, retry_slices
from taken_run import EXECUTION, NOW, RUN, TakenRun

STATES = (WorkState.FAILED, WorkState.COMPLETED, WorkState.FAILED, WorkState.QUEUED, WorkState.EXPIRED)


@pytest.fixture
def run(store: Path) -> TakenRun:
    """A run of one STF, with a slice in each of the states."""
    taken = TakenRun()
    taken.started()
    sample = taken.sample(taken.stf(1, slice_count=len(STATES)))
    for index, state in enumerate(STATES):
        taken.slice(sample, index, state, attempt=4, retries=3, reason="it crashed")
    return taken


def name(index: int) -> str:
    return slice_name(stf_name(RUN, 1), index)


def wish(*names: str, process: int | None = None, reason: str = "the disk is there again") -> RetryRequest:
    return retry_slices(RUN, names, "ann", reason, Scene(now=NOW, process=process))


def wished() -> list[tuple[str, int]]:
    return list(SliceRetry.objects.order_by("slice__name").values_list("slice__name", "attempt"))


@pytest.mark.usefixtures("run")
def test_all_that_failed_or_expired() -> None:
    request = wish(process=4321)
    assert request.slices == (name(0), name(2), name(4))
    assert wished() == [(name(0), 4), (name(2), 4), (name(4), 4)]
    assert (request.already, request.next) == (0, "")
    assert request.text == f"3 slices of run {RUN} will be tried once more by process 4321"
    assert set(TfSlice.objects.values_list("status", flat=True)) == set(STATES), (
        "the agent moves them, not this process"
    )
    assert json.loads(json.dumps(request.as_json()))["slices"] == list(request.slices)


@pytest.mark.usefixtures("run")
def test_those_that_are_named_and_each_once() -> None:
    request = wish(name(2), name(2))
    assert request.slices == (name(2),)
    again = wish(name(2), name(0))
    assert (again.already, len(again.slices)) == (1, 2)
    assert wished() == [(name(0), 4), (name(2), 4)]
    assert again.next == f"testbed run --resume {EXECUTION}"
    assert "no process is at work" in again.text


@pytest.mark.usefixtures("run")
def test_where_one_has_not_failed_nothing_is_done() -> None:
    with pytest.raises(
        IllegalMoveError, match=r"slice_001.tf is completed \(and 1 more\): only what is failed or expired"
    ):
        wish(name(0), name(1), name(3))
    with pytest.raises(UnknownNameError, match=f"run {RUN} has no slice 'x'.*testbed runs ledger {RUN}"):
        wish(name(0), "x")
    with pytest.raises(UnknownNameError, match="there is no run"):
        retry_slices(RUN + 1, [], "ann", "", Scene(now=NOW))
    with pytest.raises(UnknownNameError, match=f"there is no run {RUN} in namespace 'other'"):
        retry_slices(RUN, [], "ann", "", Scene(now=NOW, namespaces=only("other")))
    assert wished() == []


def test_where_nothing_failed(store: Path) -> None:
    taken = TakenRun()
    taken.started()
    taken.processed_stf(1)
    with pytest.raises(IllegalMoveError, match="nothing to try again"):
        wish()


def test_not_of_a_closed_run(run: TakenRun) -> None:
    run.ended(1, closed=True)
    with pytest.raises(IllegalMoveError, match=f"run {RUN} is closed: .*take the data again"):
        wish(name(0))
    assert wished() == []


def test_an_explanation_names_the_verb_and_then_the_wish(run: TakenRun) -> None:
    scene = Scene(now=NOW, process=None)
    verb = f"testbed runs retry {RUN} {name(0)}"
    assert verb in explain(name(0), scene).next
    assert verb not in explain(name(1), scene).next
    wish(name(0))
    assert "ann wishes that it is tried once more; not carried out yet." in explain(name(0), scene).why
    run.ended(1, closed=True)
    assert verb not in explain(name(0), scene).next
