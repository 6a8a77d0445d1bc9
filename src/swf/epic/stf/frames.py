"""TFs in memory: their numbers and, per subsystem, their hits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swf.epic.stf.layout import BUNCH_CROSSINGS_PER_TF, CROSSING_PS


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """The hits of one subsystem in consecutive TFs: `counts[i]` of them in TF i, one TF after the other.

    Within a TF they have no particular order.
    """

    counts: NDArray[np.int32]
    cell_id: NDArray[np.uint64]
    amplitude: NDArray[np.int32]
    """ADC counts."""
    time_stamp: NDArray[np.int32]
    """ps since the start of the TF."""

    def __post_init__(self) -> None:
        lengths = {int(self.counts.sum()), len(self.cell_id), len(self.amplitude), len(self.time_stamp)}
        if len(lengths) != 1:
            raise ValueError(f"counts and arrays of hits disagree: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.cell_id)

    def tf_index(self) -> NDArray[np.intp]:
        """For each hit the index of its TF, 0 for the first."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def select(self, start: int, stop: int) -> Hits:
        """The hits of the TFs with index `start` to `stop - 1`; shares memory."""
        low, high = int(self.counts[:start].sum()), int(self.counts[:stop].sum())
        return Hits(
            counts=self.counts[start:stop],
            cell_id=self.cell_id[low:high],
            amplitude=self.amplitude[low:high],
            time_stamp=self.time_stamp[low:high],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Consecutive TFs."""

    tf_number: NDArray[np.uint64]
    hits: Mapping[str, Hits]
    """Per collection, by name."""
    bytes_read: int = 0
    """Bytes that were read from the file to get them; 0 for generated ones."""

    def __post_init__(self) -> None:
        for name, hits in self.hits.items():
            if len(hits.counts) != len(self.tf_number):
                raise ValueError(f"{name} has {len(hits.counts)} TFs, expected {len(self.tf_number)}")

    @property
    def tf_count(self) -> int:
        """How many TFs."""
        return len(self.tf_number)

    @property
    def hit_count(self) -> int:
        """How many hits, of all subsystems."""
        return sum(len(hits) for hits in self.hits.values())

    @property
    def first_bunch_crossing(self) -> NDArray[np.uint64]:
        """The number of each TF's first bunch crossing."""
        return self.tf_number * np.uint64(BUNCH_CROSSINGS_PER_TF)

    def blocks(self, size: int) -> Iterator[Frames]:
        """The same TFs, at most `size` at a time."""
        if self.tf_count <= size:
            yield self
            return
        for start in range(0, self.tf_count, size):
            stop = min(start + size, self.tf_count)
            hits = {name: hits.select(start, stop) for name, hits in self.hits.items()}
            yield Frames(tf_number=self.tf_number[start:stop], hits=hits)


def tf_numbers(first: int, count: int) -> NDArray[np.uint64]:
    """`count` consecutive TF numbers from `first` on."""
    return np.arange(first, first + count, dtype=np.uint64)


def crossing_time_ps(crossing: NDArray[np.int64]) -> NDArray[np.int64]:
    """The time of bunch crossings, counted from the start of a TF, in whole ps, exact up to 4e12 crossings."""
    return crossing * CROSSING_PS.numerator // CROSSING_PS.denominator
