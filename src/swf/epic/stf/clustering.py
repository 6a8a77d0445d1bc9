"""Clusters of hits, and coincidences of clusters across subsystems.

A **cluster** is made of hits of one subsystem in one TF. It is found by three sorts, each of which cuts a chain of hits
where the gap between neighbours is too large: all hits by time (larger than `time_window_ps`), then those of a chain by
the number of their cell (`cells.cell_number`, more than `cell_reach`), then those of what is left by time again. So
every hit is in exactly one cluster, alone if it has no neighbour, and from hit to hit of a cluster the time never jumps
by more than the window.

A **coincidence** is made of clusters of one TF, of any subsystems, of at least `min_hits` hits each. Ordered by time, a
chain of them is cut where the gap is larger than `coincidence_window_ps`; a chain that has clusters in at least
`min_subsystems` subsystems is a coincidence.

The time of a cluster is that of its earliest hit, the time of a coincidence that of its earliest cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swf.epic.stf.cells import cell_number
from swf.epic.stf.frames import Hits


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterParameters:
    """What is near. Times in ps."""

    time_window_ps: int = 20_000
    cell_reach: int = 8
    min_hits: int = 2
    """Hits that a cluster must have to count in a coincidence."""
    coincidence_window_ps: int = 15_000
    min_subsystems: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Clusters, one per position of the arrays; ordered by subsystem, then TF."""

    subsystem: NDArray[np.int32]
    """Its index among the subsystems that were clustered."""
    tf: NDArray[np.int32]
    """Index of its TF, 0 for the first."""
    time_stamp: NDArray[np.int32]
    """ps since the start of the TF, of the earliest hit."""
    duration: NDArray[np.int32]
    """ps from the earliest to the latest hit."""
    cell_id: NDArray[np.uint64]
    """The cell with the largest amplitude; of equal ones the lowest number."""
    amplitude: NDArray[np.int64]
    """Sum over the hits."""
    hits: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coincidences:
    """Coincidences, one per position of the arrays, ordered by TF and time."""

    tf: NDArray[np.int32]
    time_stamp: NDArray[np.int32]
    subsystems: NDArray[np.int32]
    """How many different ones."""
    clusters: NDArray[np.int32]
    hits: NDArray[np.int32]
    amplitude: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.clusters)


def find_clusters(hits: Mapping[str, Hits], parameters: ClusterParameters) -> Clusters:
    """The clusters of every subsystem; subsystem i is the i-th of `hits`."""
    return _concatenated([_clusters(index, h, parameters) for index, h in enumerate(hits.values())])


def find_coincidences(clusters: Clusters, parameters: ClusterParameters) -> Coincidences:
    """The coincidences among clusters."""
    kept = np.flatnonzero(clusters.hits >= parameters.min_hits)
    tf, time = clusters.tf[kept], clusters.time_stamp[kept]
    order = np.lexsort((time, tf))
    kept, tf, time = kept[order], tf[order], time[order]
    chain = _chains(tf, time, parameters.coincidence_window_ps)
    starts = np.flatnonzero(np.diff(chain, prepend=-1))
    different = int(clusters.subsystem.max(initial=0)) + 1
    pairs = np.unique(chain * different + clusters.subsystem[kept])
    subsystems = np.bincount(pairs // different, minlength=len(starts))
    found = subsystems >= parameters.min_subsystems
    return Coincidences(
        tf=tf[starts][found],
        time_stamp=time[starts][found],
        subsystems=subsystems[found].astype(np.int32),
        clusters=np.bincount(chain, minlength=len(starts))[found].astype(np.int32),
        hits=_sums(clusters.hits[kept], starts)[found].astype(np.int32),
        amplitude=_sums(clusters.amplitude[kept], starts)[found],
    )


def _clusters(subsystem: int, hits: Hits, parameters: ClusterParameters) -> Clusters:
    tf, time, cell = hits.tf_index(), hits.time_stamp, cell_number(hits.cell_id)
    # TF and time in one whole number: a sort by one key costs a third of one by two.
    order = np.argsort(tf << 32 | time, kind="stable")
    chain = np.empty(len(hits), dtype=np.int64)
    chain[order] = _chains(tf[order], time[order], parameters.time_window_ps)
    order = np.lexsort((cell, chain))
    chain[order] = _chains(chain[order], cell[order], parameters.cell_reach)
    order = np.lexsort((time, chain))
    chain = _chains(chain[order], time[order], parameters.time_window_ps)

    starts = np.flatnonzero(np.diff(chain, prepend=-1))
    sizes = np.diff(starts, append=len(hits))
    first = order[starts]
    last = order[starts + sizes - 1]
    # Within a cluster the largest amplitude first, of equal ones the lowest cell.
    peaks = np.lexsort((cell[order], -hits.amplitude[order].astype(np.int64), chain))
    return Clusters(
        subsystem=np.full(len(starts), subsystem, dtype=np.int32),
        tf=tf[first].astype(np.int32),
        time_stamp=time[first],
        duration=time[last] - time[first],
        cell_id=hits.cell_id[order[peaks[starts]]],
        amplitude=_sums(hits.amplitude[order], starts),
        hits=sizes.astype(np.int32),
    )


def _chains(same: NDArray[Any], sorted_by: NDArray[Any], largest_gap: int) -> NDArray[np.int64]:
    """Numbers from 0 for chains of neighbours: one ends where `same` changes or the step in `sorted_by` is larger."""
    if len(sorted_by) == 0:
        return np.empty(0, dtype=np.int64)
    cut = np.zeros(len(sorted_by), dtype=np.int64)
    # The steps are not negative where it matters; unsigned ones wrap only across a change of `same`.
    cut[1:] = np.subtract(sorted_by[1:], sorted_by[:-1]) > largest_gap
    cut[1:] |= same[1:] != same[:-1]
    return np.cumsum(cut)


def _sums(values: NDArray[np.int32] | NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.add.reduceat(values.astype(np.int64), starts) if len(starts) else np.empty(0, dtype=np.int64)


def _concatenated(parts: Sequence[Clusters]) -> Clusters:
    return Clusters(
        subsystem=np.concatenate([p.subsystem for p in parts]),
        tf=np.concatenate([p.tf for p in parts]),
        time_stamp=np.concatenate([p.time_stamp for p in parts]),
        duration=np.concatenate([p.duration for p in parts]),
        cell_id=np.concatenate([p.cell_id for p in parts]),
        amplitude=np.concatenate([p.amplitude for p in parts]),
        hits=np.concatenate([p.hits for p in parts]),
    )
