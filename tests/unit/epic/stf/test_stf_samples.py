from __future__ import annotations

from pathlib import Path

import pytest
from stf_files import joined, part, same, simulated, write

from swf.core.errors import DataError, StorageError
from swf.epic.stf.histograms import fill
from swf.epic.stf.read import inspect, read_range
from swf.epic.stf.sample import write_sample
from swf.storage.checksums import facts_of


@pytest.mark.parametrize(("first", "last"), [(0, 0), (20, 29), (60, 149)])
def test_a_sample_is_the_range(tmp_path: Path, first: int, last: int) -> None:
    stf, tf = tmp_path / "swf.7.000001.stf", tmp_path / "7" / "swf.7.000001_tf_001.tf"
    write(stf)
    reached: list[str] = []
    facts = write_sample(str(stf), tf, first, last, reached.append)
    expected = part(joined(list(simulated())), first, last)
    assert same(read_range(tf, 0, last - first), expected)
    assert reached == ["written", "synced", "renamed"]
    assert (facts.tf_first, facts.tf_last, facts.tf_count) == (first, last, last - first + 1)
    assert facts.hits == expected.hit_count
    found = facts_of(tf)
    assert (facts.size_bytes, facts.adler32, facts.sha256) == (found.size_bytes, found.adler32, found.sha256)
    direct = fill(expected, generated=True)
    assert {n: h.to_json() for n, h in facts.histograms.items()} == {n: h.to_json() for n, h in direct.items()}


def test_a_sample_reads_little_more_than_its_range(tmp_path: Path) -> None:
    stf = tmp_path / "a.stf"
    size = write(stf, 640).size_bytes
    assert write_sample(stf, tmp_path / "a.tf", 100, 110).bytes_read < size / 3


def test_a_sample_says_where_it_comes_from(tmp_path: Path) -> None:
    stf = tmp_path / "a.stf"
    write(stf)
    write_sample(stf, tmp_path / "a.tf", 5, 9)
    provenance = inspect(tmp_path / "a.tf").provenance
    assert provenance.label == "SIMULATED"
    assert provenance.parameters == {"sample_of": "a.stf", "tf_first": 5, "tf_last": 9}


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    stf = tmp_path / "a.stf"
    write(stf)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DataError, match="asked for 140 to 150"):
        write_sample(stf, out / "a.tf", 140, 150)
    content = stf.read_bytes()
    stf.write_bytes(content[: len(content) - 3000])
    with pytest.raises(DataError, match=r"a\.stf is truncated"):
        write_sample(stf, out / "a.tf", 0, 149)
    stf.write_bytes(content)
    with pytest.raises(StorageError, match=r"a\.stf.*cannot be written"):
        write_sample(stf, stf / "a.tf", 0, 9)
    assert list(out.iterdir()) == []
