"""Cutting an STF sample into slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from swf.core.errors import ConfigError
from swf.epic.sampling import TfRange, near_equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """TFs `first` to `last` (entries of the STF, both included) for one worker.

    `index` is from 0 within the STF; `file_index` is the 0-based position of its TF sample file among the ranges.
    """

    index: int
    first: int
    last: int
    file_index: int

    @property
    def tf_count(self) -> int:
        """How many TFs it has."""
        return self.last - self.first + 1


def cut(ranges: Sequence[TfRange], slices_per_sample: int) -> tuple[Slice, ...]:
    """Cut the TF ranges of an STF sample, one per TF sample file, into exactly `slices_per_sample` slices.

    There are fewer only where there are fewer TFs: then each slice has one. No slice crosses a file. Each file gets at
    least one slice, and beyond that a share in proportion to its TFs (method of the largest remainder, the earlier file
    first where remainders are equal). Slices of one file differ by at most one TF. Every TF is in exactly one slice.

    Raises:
        ConfigError: there are more files than slices.
        ValueError: there are no ranges or no slices, or a range is empty, overlaps another or is out of order.
    """
    _check(ranges, slices_per_sample)
    slices: list[Slice] = []
    for file_index, (tfs, parts) in enumerate(zip(ranges, _shares(ranges, slices_per_sample), strict=True)):
        first = tfs.first
        for size in near_equal(tfs.tf_count, parts):
            slices.append(Slice(index=len(slices), first=first, last=first + size - 1, file_index=file_index))
            first += size
    return tuple(slices)


def _check(ranges: Sequence[TfRange], slices_per_sample: int) -> None:
    if not ranges or slices_per_sample < 1:
        raise ValueError(
            f"cannot cut {len(ranges)} TF ranges into {slices_per_sample} slices: expected at least 1 each"
        )
    end = -1
    for tfs in ranges:
        if tfs.first <= end or tfs.last < tfs.first:
            raise ValueError(f"the TF range {tfs.first} to {tfs.last} is empty, overlaps another or is out of order")
        end = tfs.last
    if len(ranges) > slices_per_sample:
        raise ConfigError(
            f"slices_per_sample is {slices_per_sample} but the sample has {len(ranges)} files, and no slice crosses a "
            f"file: set slices_per_sample to at least tf_files_per_sample"
        )


def _shares(ranges: Sequence[TfRange], slices_per_sample: int) -> list[int]:
    """How many slices each file gets."""
    total = sum(tfs.tf_count for tfs in ranges)
    wanted = min(slices_per_sample, total)
    quotas = [Fraction(wanted * tfs.tf_count, total) for tfs in ranges]
    shares = [max(1, int(quota)) for quota in quotas]
    while sum(shares) < wanted:
        shares[max(range(len(shares)), key=lambda i: (quotas[i] - shares[i], -i))] += 1
    while sum(shares) > wanted:
        # Files with a quota below one got a whole slice; those furthest above their quota pay for it.
        shares[min((i for i in range(len(shares)) if shares[i] > 1), key=lambda i: (quotas[i] - shares[i], -i))] -= 1
    return shares
