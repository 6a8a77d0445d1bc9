from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.core.errors import ConfigError
from swf.epic.sampling import TfRange, sample_ranges
from swf.epic.slicing import Slice, cut


def per_file(slices: tuple[Slice, ...], files: int) -> list[int]:
    return [sum(s.file_index == file for s in slices) for file in range(files)]


def test_a_sample_of_100_tfs_in_15_slices() -> None:
    slices = cut(sample_ranges(1000, 0.1, turn=3), 15)
    assert [s.index for s in slices] == list(range(15))
    assert [s.tf_count for s in slices] == [7] * 10 + [6] * 5
    assert (slices[0], slices[-1]) == (
        Slice(index=0, first=300, last=306, file_index=0),
        Slice(index=14, first=394, last=399, file_index=0),
    )


def test_fewer_only_where_there_are_fewer_tfs() -> None:
    assert [s.tf_count for s in cut([TfRange(5, 7)], 15)] == [1, 1, 1]


def test_slices_per_file_are_in_proportion() -> None:
    assert per_file(cut([TfRange(0, 59), TfRange(100, 129), TfRange(200, 209)], 10), 3) == [6, 3, 1]


def test_the_largest_remainder_gets_the_rest_and_the_earlier_file_a_tie() -> None:
    assert per_file(cut([TfRange(0, 10), TfRange(20, 30), TfRange(40, 50)], 10), 3) == [4, 3, 3]
    assert per_file(cut([TfRange(0, 25), TfRange(30, 58), TfRange(60, 104)], 10), 3) == [3, 3, 4]


def test_each_file_gets_one_at_least() -> None:
    assert per_file(cut([TfRange(0, 99), TfRange(200, 200), TfRange(300, 300)], 4), 3) == [2, 1, 1]


def test_more_files_than_slices_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigError, match="slices_per_sample is 2 but the sample has 3 files"):
        cut([TfRange(0, 9), TfRange(10, 19), TfRange(20, 29)], 2)


@pytest.mark.parametrize(
    "ranges", [[], [TfRange(3, 2)], [TfRange(0, 5), TfRange(5, 9)], [TfRange(5, 9), TfRange(0, 4)]]
)
def test_ranges_that_are_none(ranges: list[TfRange]) -> None:
    with pytest.raises(ValueError, match="range"):
        cut(ranges, 15)


@st.composite
def samples(draw: st.DrawFn) -> tuple[TfRange, ...]:
    ranges, first = [], 0
    for _ in range(draw(st.integers(1, 8))):
        first += draw(st.integers(0, 20))
        count = draw(st.integers(1, 120))
        ranges.append(TfRange(first, first + count - 1))
        first += count
    return tuple(ranges)


@given(ranges=samples(), more=st.integers(0, 80))
def test_every_tf_is_in_exactly_one_slice(ranges: tuple[TfRange, ...], more: int) -> None:
    wanted = len(ranges) + more
    total = sum(r.tf_count for r in ranges)
    slices = cut(ranges, wanted)

    assert len(slices) == min(wanted, total)
    assert [s.index for s in slices] == list(range(len(slices)))
    covered = [tf for s in slices for tf in range(s.first, s.last + 1)]
    assert covered == [tf for r in ranges for tf in range(r.first, r.last + 1)]
    for s in slices:
        assert ranges[s.file_index].first <= s.first <= s.last <= ranges[s.file_index].last
    for file, r in enumerate(ranges):
        sizes = [s.tf_count for s in slices if s.file_index == file]
        assert sizes
        assert max(sizes) - min(sizes) <= 1
        quota = Fraction(len(slices) * r.tf_count, total)
        assert len(sizes) <= max(1, quota + 1)
    assert slices == cut(ranges, wanted)


@given(ranges=samples(), more=st.integers(0, 80))
def test_where_every_file_is_owed_one_no_share_is_off_by_a_whole_slice(ranges: tuple[TfRange, ...], more: int) -> None:
    total = sum(r.tf_count for r in ranges)
    slices = cut(ranges, len(ranges) + more)
    quotas = [Fraction(len(slices) * r.tf_count, total) for r in ranges]
    if min(quotas) >= 1:
        counts = per_file(slices, len(ranges))
        assert all(abs(count - quota) < 1 for count, quota in zip(counts, quotas, strict=True))
