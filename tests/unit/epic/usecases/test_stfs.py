"""The STFs of a run, page by page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swf.core.errors import UnknownNameError
from swf.core.scene import Scene, only
from swf.core.work import WorkState
from swf.epic.names import stf_name
from swf.epic.usecases.stfs import list_stfs
from taken_run import NOW, RUN, TakenRun

ALL = Scene(now=NOW)


@pytest.fixture
def run(store: Path) -> TakenRun:
    """A run of twelve STFs, the fourth and the tenth of which failed; another run beside it."""
    other = TakenRun(RUN + 1, execution="fast_processing-me-0002")
    other.started()
    other.stf(1)
    taken = TakenRun()
    taken.started()
    for sequence in (7, 3, 1, 2, 5, 6, 8, 9, 11, 12):
        taken.processed_stf(sequence)
    for sequence in (10, 4):
        taken.stf(sequence, WorkState.FAILED, reason="truncated", sample_count=None)
    return taken


def names(*sequences: int) -> list[str]:
    return [stf_name(RUN, sequence) for sequence in sequences]


def pages(limit: int, **wanted: object) -> list[list[str]]:
    """All pages, each asked for with what the one before says."""
    found: list[list[str]] = []
    after = None
    while True:
        page = list_stfs(RUN, ALL, limit=limit, after=after, **wanted)  # type: ignore[arg-type]
        found.append([line.name for line in page.stfs])
        after = page.after
        if after is None:
            return found


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("limit", [1, 4, 5, 12, 100])
def test_pages_have_every_stf_once_in_order(limit: int) -> None:
    found = pages(limit)
    assert [name for page in found for name in page] == names(*range(1, 13))
    assert all(len(page) == limit for page in found[:-1])
    assert found[-1]


@pytest.mark.usefixtures("run")
def test_of_one_state() -> None:
    assert pages(1, status=WorkState.FAILED) == [names(4), names(10)]
    assert pages(100, status=WorkState.QUEUED) == [[]]


@pytest.mark.usefixtures("run")
def test_whose_names_begin_so() -> None:
    assert pages(2, prefix=f"swf.{RUN}.00001") == [names(10, 11), names(12)]
    assert pages(100, prefix=f"swf.{RUN}.00001", status=WorkState.FAILED) == [names(10)]
    assert pages(100, prefix=stf_name(RUN, 7)) == [names(7)]
    assert pages(100, prefix=f"swf.{RUN + 1}.") == [[]]


def test_what_is_said_of_each(run: TakenRun) -> None:
    sample = run.sample(run.stf(13, slice_count=3, attached_at=NOW, removed_at=NOW))
    for index, state in enumerate((WorkState.COMPLETED, WorkState.FAILED, WorkState.QUEUED)):
        run.slice(sample, index, state)
    page = list_stfs(RUN, ALL, after=stf_name(RUN, 12))
    (line,) = page.stfs
    assert (line.status, line.samples, line.slices, line.slices_completed, line.slices_lost) == (
        "completed",
        1,
        3,
        1,
        1,
    )
    assert (line.attached, line.in_buffer, line.simulated) == (True, False, True)
    (failed, *_) = list_stfs(RUN, ALL, status=WorkState.FAILED).stfs
    assert (failed.reason, failed.samples, failed.slices, failed.attached) == ("truncated", None, None, False)
    assert failed.in_buffer
    assert json.loads(json.dumps(page.as_json())) == page.as_json()


@pytest.mark.usefixtures("run")
def test_wrong_names() -> None:
    with pytest.raises(UnknownNameError, match="is not the name of an STF"):
        list_stfs(RUN, ALL, after="x")
    with pytest.raises(UnknownNameError, match=f"of run {RUN + 1}, not of run {RUN}"):
        list_stfs(RUN, ALL, after=stf_name(RUN + 1, 1))
    with pytest.raises(UnknownNameError, match="there is no run"):
        list_stfs(RUN + 5, ALL)
    with pytest.raises(UnknownNameError, match=f"there is no run {RUN} in namespace 'other'"):
        list_stfs(RUN, Scene(now=NOW, namespaces=only("other")))
