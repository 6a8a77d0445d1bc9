from __future__ import annotations

import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stf_files import MADE_BY_HAND, any_frames, hits, joined, part, same, simulated, write

from swf.core.errors import DataError, StorageError
from swf.epic.stf.frames import Frames, tf_numbers
from swf.epic.stf.layout import BUNCH_CROSSINGS_PER_TF, TF_PS, TF_SECONDS
from swf.epic.stf.read import inspect, open_stf, read_range
from swf.epic.stf.write import write_stf
from swf.storage.checksums import facts_of

FRESH_FOLDER_NOT_NEEDED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@settings(FRESH_FOLDER_NOT_NEEDED, max_examples=60)
@given(frames=any_frames(), compression=st.sampled_from([None, "zlib:1", "lz4:1", "zstd"]), data=st.data())
def test_what_is_written_is_read(tmp_path: Path, frames: Frames, compression: str | None, data: st.DataObject) -> None:
    path = tmp_path / "a.stf"
    facts = write_stf(path, [frames], provenance=MADE_BY_HAND, compression=compression)
    assert (facts.tf_count, facts.first_tf, facts.hits) == (frames.tf_count, frames.tf_number[0], frames.hit_count)
    first = data.draw(st.integers(0, frames.tf_count - 1))
    last = data.draw(st.integers(first, frames.tf_count - 1))
    assert same(read_range(path, first, last), part(frames, first, last))


@pytest.mark.parametrize("compression", [None, "zstd:1"])
@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 149), (63, 64), (10, 140), (128, 149), (149, 149)])
def test_ranges_across_baskets(tmp_path: Path, first: int, last: int, compression: str | None) -> None:
    path = tmp_path / "a.stf"
    write(path, compression=compression)
    assert same(read_range(str(path), first, last), part(joined(list(simulated())), first, last))


def test_the_facts_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    facts = write(path)
    found = facts_of(path)
    assert (facts.size_bytes, facts.adler32, facts.sha256) == (found.size_bytes, found.adler32, found.sha256)
    assert facts.hits == sum(frames.hit_count for frames in simulated())
    content = inspect(path)
    assert (content.tf_count, content.provenance) == (150, MADE_BY_HAND)
    assert content.collections == tuple(next(simulated()).hits)


def test_the_same_content_gives_the_same_bytes_at_any_time_and_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.stf")
    later = SimpleNamespace(now=lambda: datetime.datetime(2031, 5, 4, 3, 2, 1))  # noqa: DTZ001 - as uproot does
    for module in (uproot.writing._cascade, uproot.writing._cascadetree):
        monkeypatch.setattr(module, "datetime", SimpleNamespace(datetime=later))
    write(tmp_path / "elsewhere" / "another.stf")
    assert (tmp_path / "a.stf").read_bytes() == (tmp_path / "elsewhere" / "another.stf").read_bytes()


def test_other_programs_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    write(path)
    expected = joined(list(simulated()))
    with uproot.open(path) as file:
        tree = file["events"]
        assert '"label":"SIMULATED"' in str(file["provenance"])
        assert np.array_equal(
            tree["first_bunch_crossing"].array(library="np"), expected.tf_number * BUNCH_CROSSINGS_PER_TF
        )
        for name, found in expected.hits.items():
            assert tree[f"{name}.cellID"].typename == "uint64_t[]"
            assert tree[f"{name}.timeStamp"].typename == "int32_t[]"
            read = tree[f"{name}.timeStamp"].array(library="np")
            assert np.array_equal(np.concatenate(list(read)), found.time_stamp)
            assert [len(tf) for tf in read] == found.counts.tolist()


def test_no_basket_has_more_than_64_tfs(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    write_stf(path, [joined(list(simulated()))], provenance=MADE_BY_HAND)
    with uproot.open(path) as file:
        for branch in file["events"].branches:
            assert max(np.diff(branch.entry_offsets)) <= 64
            assert branch.num_baskets == 3


def test_a_range_reads_its_baskets_only(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    source = list(simulated(1000, scale=0.3))
    size = write_stf(path, source, provenance=MADE_BY_HAND).size_bytes
    found = read_range(path, 500, 506)
    assert same(found, part(joined(source), 500, 506))
    assert 0 < found.bytes_read < size / 10
    with open_stf(path) as stf:
        assert sum(frames.bytes_read for frames in stf.blocks(0, 999, 64)) == pytest.approx(size, rel=0.05)


def test_blocks_are_the_range_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    write(path)
    with open_stf(path) as stf:
        blocks = list(stf.blocks(10, 140, 50))
    assert [block.tf_count for block in blocks] == [50, 50, 31]
    assert same(joined(blocks), part(joined(list(simulated())), 10, 140))


@pytest.mark.parametrize(("first", "last"), [(-1, 3), (0, 150), (150, 150), (5, 4)])
def test_a_range_outside_is_refused(tmp_path: Path, first: int, last: int) -> None:
    path = tmp_path / "a.stf"
    write(path)
    with pytest.raises(DataError, match=rf"a\.stf has the TFs 0 to 149; asked for {first} to {last}"):
        read_range(path, first, last)


def test_what_cannot_be_an_stf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    one = Frames(tf_number=tf_numbers(3, 1), hits={"ARawHits": hits([])})
    other = Frames(tf_number=tf_numbers(4, 1), hits={"BRawHits": hits([])})
    for blocks, words in (
        ([], "at least one TF"),
        ([one, other], "the same subsystems"),
        ([one, one], "consecutive"),
        ([Frames(tf_number=tf_numbers(3, 1), hits={})], "the same subsystems"),
    ):
        with pytest.raises(ValueError, match=words):
            write_stf(path, blocks, provenance=MADE_BY_HAND)
    with pytest.raises(ValueError, match="compression 'fast' is unknown"):
        write_stf(path, [one], provenance=MADE_BY_HAND, compression="fast")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int, _data: bytes, _position: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("swf.epic.stf.rootsink.os.pwrite", full)
    with pytest.raises(StorageError, match=r"a\.stf cannot be written: the disk is full"):
        write(tmp_path / "a.stf")
    assert list(tmp_path.iterdir()) == []


def test_a_tf_lasts_two_thirds_of_a_millisecond() -> None:
    assert abs(TF_SECONDS - 0.665e-3) < 1e-6
    assert 65_536 * 2_000_000 // 197 == TF_PS < 2**31
