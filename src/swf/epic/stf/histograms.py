"""Monitoring histograms of one subsystem: hits per TF, time in the TF, amplitude, occupancy of cells.

The bins are fixed, so that histograms of different samples add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swf.core.errors import DataError
from swf.epic.stf.cells import cell_number
from swf.epic.stf.frames import Frames, Hits
from swf.epic.stf.layout import TF_PS
from swf.epic.stf.subsystems import SUBSYSTEMS

RATE_BINS: Final = 24
"""Hits per TF: bin 0 is no hit, bin k is 2^(k-1) up to 2^k - 1, the last bin has all above."""
TIME_BINS: Final = 128
"""Equal parts of a TF."""
AMPLITUDE_BINS: Final = 64
"""Equal parts of 0 up to `amplitude_stop`; what is outside is in the first and the last."""
OCCUPANCY_BINS: Final = 256
"""With `cells`, equal parts of the cells; otherwise a hash of the cell number, which still shows a noisy channel."""

_MIXER: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing, Knuth, TAOCP vol. 3, 6.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Binning:
    """What the bins of one subsystem mean, beyond what is the same for all."""

    amplitude_stop: int = 32768
    cells: int = 0
    """Number of cells, numbered from 0; 0 where that is not known."""


GENERIC: Final = Binning()

_SIMULATED: Final = {
    s.collection: Binning(amplitude_stop=int(s.pedestal + 4 * s.amplitude), cells=s.cells) for s in SUBSYSTEMS
}


def binning_of(collection: str, *, generated: bool) -> Binning:
    """The bins of a subsystem: the simulated detector's are known, those of any other are generic."""
    return _SIMULATED.get(collection, GENERIC) if generated else GENERIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Histograms:
    """The four histograms of one subsystem, and of how many TFs and hits. They add with `+`."""

    binning: Binning
    tf_count: int
    hits: int
    rate: NDArray[np.int64]
    time: NDArray[np.int64]
    amplitude: NDArray[np.int64]
    occupancy: NDArray[np.int64]

    @classmethod
    def empty(cls, binning: Binning = GENERIC) -> Histograms:
        """Of no TF."""
        sizes = (RATE_BINS, TIME_BINS, AMPLITUDE_BINS, OCCUPANCY_BINS)
        rate, time, amplitude, occupancy = (np.zeros(size, dtype=np.int64) for size in sizes)
        return cls(binning=binning, tf_count=0, hits=0, rate=rate, time=time, amplitude=amplitude, occupancy=occupancy)

    @classmethod
    def of(cls, hits: Hits, binning: Binning = GENERIC) -> Histograms:
        """Of the hits of some TFs."""
        return cls(
            binning=binning,
            tf_count=len(hits.counts),
            hits=len(hits),
            rate=_counted(np.ceil(np.log2(hits.counts.astype(np.float64) + 1)).astype(np.int64), RATE_BINS),
            time=_counted(hits.time_stamp.astype(np.int64) * TIME_BINS // TF_PS, TIME_BINS),
            amplitude=_counted(
                hits.amplitude.astype(np.int64) * AMPLITUDE_BINS // binning.amplitude_stop, AMPLITUDE_BINS
            ),
            occupancy=_counted(_cell_bin(hits.cell_id, binning.cells), OCCUPANCY_BINS),
        )

    def __add__(self, other: Histograms) -> Histograms:
        """The histograms of both.

        Raises:
            ValueError: their bins differ.
        """
        if self.binning != other.binning:
            raise ValueError(f"histograms with different bins do not add: {self.binning} and {other.binning}")
        return Histograms(
            binning=self.binning,
            tf_count=self.tf_count + other.tf_count,
            hits=self.hits + other.hits,
            rate=self.rate + other.rate,
            time=self.time + other.time,
            amplitude=self.amplitude + other.amplitude,
            occupancy=self.occupancy + other.occupancy,
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON object: the numbers, and the contents of the bins as lists."""
        return {
            "version": 1,
            "amplitude_stop": self.binning.amplitude_stop,
            "cells": self.binning.cells,
            "tf_count": self.tf_count,
            "hits": self.hits,
            "rate": self.rate.tolist(),
            "time": self.time.tolist(),
            "amplitude": self.amplitude.tolist(),
            "occupancy": self.occupancy.tolist(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Histograms:
        """Read what `to_json` gave.

        Raises:
            DataError: it is not that.
        """
        try:
            if content["version"] != 1:
                raise DataError(f"histograms of version {content['version']}; this program reads version 1")
            return cls(
                binning=Binning(amplitude_stop=int(content["amplitude_stop"]), cells=int(content["cells"])),
                tf_count=int(content["tf_count"]),
                hits=int(content["hits"]),
                rate=_read(content["rate"], RATE_BINS),
                time=_read(content["time"], TIME_BINS),
                amplitude=_read(content["amplitude"], AMPLITUDE_BINS),
                occupancy=_read(content["occupancy"], OCCUPANCY_BINS),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"histograms are not what this program writes: {error}") from error


def fill(frames: Frames, *, generated: bool) -> dict[str, Histograms]:
    """The histograms of every subsystem of some TFs; `generated` where the simulated detector made them."""
    return {name: Histograms.of(hits, binning_of(name, generated=generated)) for name, hits in frames.hits.items()}


def merged(first: Mapping[str, Histograms], second: Mapping[str, Histograms]) -> dict[str, Histograms]:
    """The sum of two sets of histograms, per subsystem.

    Raises:
        ValueError: the bins of a subsystem differ.
    """
    both = {name: histograms + second[name] for name, histograms in first.items() if name in second}
    return {**first, **second, **both}


def _counted(bins: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.bincount(np.clip(bins, 0, size - 1), minlength=size).astype(np.int64, copy=False)


def _cell_bin(cell_id: NDArray[np.uint64], cells: int) -> NDArray[np.int64]:
    number = cell_number(cell_id)
    if cells:
        return np.minimum(number, np.uint64(cells)).astype(np.int64) * OCCUPANCY_BINS // cells
    return ((number * _MIXER) >> np.uint64(56)).astype(np.int64)


def _read(content: Any, size: int) -> NDArray[np.int64]:
    bins = np.asarray(content, dtype=np.int64)
    if bins.shape != (size,):
        raise ValueError(f"expected {size} bins, found {bins.shape}")
    return bins
