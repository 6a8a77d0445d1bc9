from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.epic.sampling import TfRange, is_sampled, near_equal, sample_ranges, sampled_count

RATES = st.floats(0, 1) | st.integers(0, 1000).map(lambda n: n / 1000)
FRACTIONS = st.integers(1, 1000).map(lambda n: n / 1000)


@given(rate=RATES, stfs=st.integers(1, 400))
def test_after_each_stf_exactly_its_share_was_sampled(rate: float, stfs: int) -> None:
    taken = sum(is_sampled(sequence, rate) for sequence in range(1, stfs + 1))
    assert taken == sampled_count(stfs, rate)
    assert abs(taken - Fraction(str(rate)) * stfs) <= Fraction(1, 2)


def test_a_rate_is_the_decimal_number_that_it_is_written_as() -> None:
    assert floor(100 * 0.29) == 28
    assert sampled_count(100, 0.29) == 29
    assert sampled_count(50, 0.29) == 15  # 14.5, which binary 0.29 puts just below


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(1.0, [1, 2, 3, 4, 5, 6]), (0.5, [1, 3, 5]), (0.0, []), (0.34, [2, 5]), (0.9, [1, 2, 3, 4, 5])],
)
def test_which_stfs(rate: float, expected: list[int]) -> None:
    assert [sequence for sequence in range(1, 7) if is_sampled(sequence, rate)] == expected


@pytest.mark.parametrize(("sequence", "rate"), [(0, 0.5), (1, -0.1), (1, 1.1), (1, float("nan"))])
def test_what_cannot_be_sampled(sequence: int, rate: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        is_sampled(sequence, rate)


def test_one_range_of_a_tenth_moves_through_the_stf() -> None:
    assert sample_ranges(1000, 0.1) == (TfRange(0, 99),)
    assert sample_ranges(1000, 0.1, turn=3) == (TfRange(300, 399),)
    assert sample_ranges(1000, 0.1, turn=10) == (TfRange(0, 99),)


def test_several_files_are_spread_over_the_stf() -> None:
    ranges = sample_ranges(1000, 0.15, 7)
    assert [r.tf_count for r in ranges] == [22, 22, 22, 21, 21, 21, 21]
    assert [r.first for r in ranges] == [0, 143, 286, 429, 572, 715, 858]


@pytest.mark.parametrize(
    ("tf_count", "fraction", "files", "expected"),
    [(1, 0.1, 1, [1]), (3, 0.01, 1, [1]), (3, 0.01, 5, [1, 1, 1]), (10, 0.1, 4, [1, 1, 1, 1]), (10, 1.0, 3, [4, 3, 3])],
)
def test_small_stfs(tf_count: int, fraction: float, files: int, expected: list[int]) -> None:
    assert [r.tf_count for r in sample_ranges(tf_count, fraction, files)] == expected


@given(tf_count=st.integers(1, 1200), fraction=FRACTIONS, files=st.integers(1, 30), turn=st.integers(0, 10_000))
def test_every_sample_has_its_tfs_in_order_within_the_stf(
    tf_count: int, fraction: float, files: int, turn: int
) -> None:
    ranges = sample_ranges(tf_count, fraction, files, turn=turn)
    assert len(ranges) == min(files, tf_count)
    share = floor(Fraction(str(fraction)) * tf_count + Fraction(1, 2))
    assert sum(r.tf_count for r in ranges) == max(share, min(files, tf_count))
    ends = [-1]
    for r in ranges:
        assert ends[-1] < r.first <= r.last < tf_count
        ends.append(r.last)
    assert max(r.tf_count for r in ranges) - min(r.tf_count for r in ranges) <= 1
    assert ranges == sample_ranges(tf_count, fraction, files, turn=turn)


@given(tf_count=st.integers(1, 300), fraction=st.integers(50, 1000).map(lambda n: n / 1000), files=st.integers(1, 8))
def test_over_time_every_tf_is_seen(tf_count: int, fraction: float, files: int) -> None:
    shortest = min(r.tf_count for r in sample_ranges(tf_count, fraction, files))
    turns = ceil(ceil(tf_count / min(files, tf_count)) / shortest)
    seen = {
        tf
        for turn in range(turns)
        for r in sample_ranges(tf_count, fraction, files, turn=turn)
        for tf in range(r.first, r.last + 1)
    }
    assert seen == set(range(tf_count))


@pytest.mark.parametrize(
    ("tf_count", "fraction", "files", "turn"),
    [(0, 0.1, 1, 0), (1, 0.1, 0, 0), (1, 0.0, 1, 0), (1, 1.1, 1, 0), (1, 1, 1, -1)],
)
def test_what_cannot_be_a_sample(tf_count: int, fraction: float, files: int, turn: int) -> None:
    with pytest.raises(ValueError, match=r"at least 1|out of range"):
        sample_ranges(tf_count, fraction, files, turn=turn)


def test_near_equal_parts() -> None:
    assert near_equal(10, 3) == (4, 3, 3)
    assert near_equal(2, 4) == (1, 1, 0, 0)
