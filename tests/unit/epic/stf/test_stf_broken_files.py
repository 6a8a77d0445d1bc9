"""Files that are not what they should be: always one error that names the file, never anything else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st
from stf_files import MADE_BY_HAND, hits, write

from swf.core.errors import DataError
from swf.epic.stf.frames import Frames, tf_numbers
from swf.epic.stf.layout import TF_PS
from swf.epic.stf.read import inspect, open_stf, read_range
from swf.epic.stf.write import write_stf


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.stf"
    write(path, 70)
    return path


def _read_or_refused(path: Path) -> bool:
    try:
        return read_range(path, 3, 66).tf_count == 64
    except DataError as error:
        return path.name in str(error)


def _root(fill: Callable[[uproot.WritableDirectory], None]) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with uproot.recreate(path) as file:
            fill(file)

    return make


def _no_tree(file: uproot.WritableDirectory) -> None:
    file["provenance"] = "{}"


def _no_hits(file: uproot.WritableDirectory) -> None:
    numbers = np.arange(3, dtype=np.uint64)
    file.mktree("events", {"tf_number": np.uint64, "first_bunch_crossing": np.uint64}).extend(
        {"tf_number": numbers, "first_bunch_crossing": numbers}
    )


def _other_tree(file: uproot.WritableDirectory) -> None:
    file.mktree("events", {"x": np.int64}).extend({"x": np.arange(3)})


def _not_a_tree(file: uproot.WritableDirectory) -> None:
    file["events"] = "a string"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.touch(), "is empty"),
        (lambda path: path.mkdir(), "it is a folder"),
        (lambda path: path.write_bytes(b"PK\3\4 and more" * 20), "is not a ROOT file"),
        (lambda path: path.write_bytes(b"root"), "is truncated"),
        (lambda path: path.write_bytes(b"root" + bytes(500)), "truncated or corrupted|no tree"),
        (_root(_no_tree), "has no tree 'events': it has provenance"),
        (_root(_not_a_tree), "has no tree 'events': its 'events' is a TObjString"),
        (_root(_other_tree), "no branch tf_number"),
        (_root(_no_hits), "no branch <Collection>.cellID"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    path = tmp_path / "bad.stf"
    make(path)
    with pytest.raises(DataError, match=rf"bad\.stf.*({words})"):
        inspect(path)


@pytest.mark.parametrize("kept", [0.01, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_told(good: Path, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "cut.stf"
    content = good.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match=r"cut\.stf is truncated"):
        read_range(path, 0, 69)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_zeros_where_data_should_be_are_told(good: Path, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "zeros.stf"
    content = good.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)] + bytes(len(content) - int(len(content) * kept)))
    with pytest.raises(DataError, match=r"zeros\.stf"):
        read_range(path, 0, 69)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_change_is_an_error_of_data_or_goes_unnoticed(good: Path, data: st.DataObject) -> None:
    """Without a checksum a changed amplitude cannot be told; but nothing other than DataError may come of a change."""
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of the changes in what describes the file: its head, and the tree's header behind the first baskets.
        positions = st.one_of(st.integers(4, 2000), st.integers(0, len(content) - 1))
        content[data.draw(positions)] = data.draw(st.integers(0, 255))
    path = good.with_name("changed.stf")
    path.write_bytes(content)
    assert _read_or_refused(path)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_change_of_the_trees_header(good: Path, data: st.DataObject) -> None:
    content = bytearray(good.read_bytes())
    start = content.index(b"TBranch\x00")
    for _ in range(data.draw(st.integers(1, 3))):
        content[start + data.draw(st.integers(0, 20_000)) % (len(content) - start)] = data.draw(st.integers(0, 255))
    path = good.with_name("header.stf")
    path.write_bytes(content)
    assert _read_or_refused(path)


def test_hits_outside_of_their_tf_are_told(tmp_path: Path) -> None:
    for time in (-1, TF_PS):
        frames = Frames(tf_number=tf_numbers(0, 2), hits={"ARawHits": hits([(1, 1, 5)], [(1, 1, time)])})
        write_stf(tmp_path / "late.stf", [frames], provenance=MADE_BY_HAND)
        with pytest.raises(DataError, match=r"late\.stf: ARawHits: a time stamp is outside of its TF"):
            read_range(tmp_path / "late.stf", 0, 1)


def test_a_file_that_shrinks_while_it_is_read(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "shrinks.stf"
    shutil.copy(good, path)
    with open_stf(path) as stf:
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(DataError, match=r"shrinks\.stf is truncated"):
            stf.read(0, 69)
