"""Which STFs are sampled, and which of their TFs: exact and without chance, so that a repeat gives the same answer."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple


class TfRange(NamedTuple):
    """TFs `first` to `last` of an STF: 0-based entries, both included."""

    first: int
    last: int

    @property
    def tf_count(self) -> int:
        """How many TFs it has."""
        return self.last - self.first + 1


def sampled_count(stfs: int, rate: float) -> int:
    """How many of the first `stfs` STFs of a run are sampled: `stfs * rate`, halves rounded up.

    The rate is taken as the decimal number that it is written as: 0.29 of 100 is 29, whatever binary makes of 0.29.

    Raises:
        ValueError: `stfs` is negative or the rate is not within 0 to 1.
    """
    if stfs < 0:
        raise ValueError(f"the number of STFs {stfs} is negative")
    if not 0 <= rate <= 1:
        raise ValueError(f"the sampling rate {rate} is out of range: expected 0 to 1")
    return _rounded(stfs * _exact(rate))


def is_sampled(sequence: int, rate: float) -> bool:
    """Whether STF number `sequence` (from 1) is sampled.

    Systematic sampling: evenly spread, and after each STF exactly `sampled_count` of them were taken.

    Raises:
        ValueError: the sequence is below 1 or the rate is not within 0 to 1.
    """
    if sequence < 1:
        raise ValueError(f"the sequence {sequence} is out of range: STFs are numbered from 1")
    return sampled_count(sequence, rate) > sampled_count(sequence - 1, rate)


def sample_ranges(tf_count: int, fraction: float, files: int = 1, *, turn: int = 0) -> tuple[TfRange, ...]:
    """The TFs to take from an STF of `tf_count` TFs: one contiguous range per TF sample file, in order, disjoint.

    `fraction * tf_count` TFs in all (halves rounded up), but at least one per file where the STF has as many. The STF
    is divided into one sector per file, so that the sample is spread over it, and each range lies in its sector. Where
    in the sector depends on `turn`, the number of STFs of the run that were sampled before this one
    (`sampled_count(sequence, rate) - 1`): the range moves on by its own length each time and starts again, so that no
    TF position is privileged and all are seen within `ceil(1 / fraction)` or so samples. Counting samples instead of
    STFs keeps that true for every sampling rate.

    Raises:
        ValueError: `tf_count` or `files` is below 1, `turn` is negative, or the fraction is not above 0 and up to 1.
    """
    if tf_count < 1 or files < 1 or turn < 0:
        raise ValueError(f"tf_count {tf_count} and files {files} must be at least 1, and turn {turn} not negative")
    if not 0 < fraction <= 1:
        raise ValueError(f"the sampling fraction {fraction} is out of range: expected above 0, up to 1")
    files = min(files, tf_count)
    wanted = max(_rounded(tf_count * _exact(fraction)), files)
    ranges = []
    start = 0
    # Both divisions put their larger parts first, so that no range is longer than its sector.
    for sector, length in zip(near_equal(tf_count, files), near_equal(wanted, files), strict=True):
        positions = ceil(sector / length)
        first = start + min(turn % positions * length, sector - length)
        ranges.append(TfRange(first, first + length - 1))
        start += sector
    return tuple(ranges)


def near_equal(total: int, parts: int) -> tuple[int, ...]:
    """`total` as `parts` whole numbers that differ by at most one, the larger ones first."""
    size, larger = divmod(total, parts)
    return tuple(size + (part < larger) for part in range(parts))


def _exact(number: float) -> Fraction:
    return Fraction(str(number))


def _rounded(number: Fraction) -> int:
    return floor(number + Fraction(1, 2))
