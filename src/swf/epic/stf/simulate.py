"""SIMULATED content of STFs: signal events on noise.

An event happens at a bunch crossing and leaves hits in several subsystems: close in time after it, each at the
subsystem's own delay, and clustered in cells about one direction that they share. Noise is uniform in time and cells.
Everything is drawn from the seed, the run, the STF's sequence and the block of TFs: the same STF is the same bytes
whenever and in whichever order it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swf.epic.stf.frames import Frames, Hits, crossing_time_ps, tf_numbers
from swf.epic.stf.layout import (
    BUNCH_CROSSINGS_PER_TF,
    HIT_BYTES,
    MAX_TFS_PER_BASKET,
    TF_PS,
)
from swf.epic.stf.provenance import GENERATED, Provenance
from swf.epic.stf.subsystems import EVENTS_PER_TF, SUBSYSTEMS, Subsystem, mean_hits_per_tf

_LAST_CROSSING_GAP = 128
"""No event in the last crossings of a TF, so that its hits, all within 1.2 us, are in the same TF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSource:
    """Generates the TFs of STFs. `scale` multiplies both noise and events."""

    seed: int
    scale: float = 1.0
    events_per_tf: float = EVENTS_PER_TF
    subsystems: tuple[Subsystem, ...] = SUBSYSTEMS

    @classmethod
    def of_size(cls, *, seed: int, target_bytes: int, tf_count: int) -> SimulatedSource:
        """The source whose STFs of `tf_count` TFs have about `target_bytes` bytes, uncompressed.

        Raises:
            ValueError: `target_bytes` or `tf_count` is not positive.
        """
        if target_bytes < 1 or tf_count < 1:
            raise ValueError(f"target_bytes {target_bytes} and tf_count {tf_count} must be positive")
        return cls(seed=seed, scale=target_bytes / (HIT_BYTES * mean_hits_per_tf() * tf_count))

    def provenance(self, run: int, sequence: int) -> Provenance:
        """What is kept in the file."""
        parameters = {"scale": self.scale, "events_per_tf": self.events_per_tf}
        return Provenance(
            simulated=True, origin=GENERATED, seed=self.seed, run=run, sequence=sequence, parameters=parameters
        )

    def frames(self, *, run: int, sequence: int, first_tf: int, tf_count: int) -> Iterator[Frames]:
        """The TFs of an STF, in blocks of at most 64; `first_tf` is the number of its first TF."""
        for start in range(0, tf_count, MAX_TFS_PER_BASKET):
            count = min(MAX_TFS_PER_BASKET, tf_count - start)
            block = start // MAX_TFS_PER_BASKET
            random = np.random.default_rng((self.seed, run, sequence, block))
            yield Frames(tf_number=tf_numbers(first_tf + start, count), hits=self._block(random, count))

    def _block(self, random: np.random.Generator, count: int) -> dict[str, Hits]:
        event_tf = np.repeat(np.arange(count), random.poisson(self.events_per_tf * self.scale, count))
        crossing = random.integers(0, BUNCH_CROSSINGS_PER_TF - _LAST_CROSSING_GAP, len(event_tf))
        events = _Events(tf=event_tf, time_ps=crossing_time_ps(crossing), direction=random.random(len(event_tf)))
        return {s.collection: _hits(random, s, count, events, self.scale) for s in self.subsystems}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Events:
    tf: NDArray[np.intp]
    time_ps: NDArray[np.int64]
    direction: NDArray[np.float64]
    """Where in each subsystem, as a fraction of its cells."""


def _hits(random: np.random.Generator, subsystem: Subsystem, count: int, events: _Events, scale: float) -> Hits:
    noise_counts = random.poisson(subsystem.noise_per_tf * scale, count)
    noise = int(noise_counts.sum())
    seen = random.random(len(events.tf)) < subsystem.acceptance
    multiplicity = np.where(seen, 1 + random.poisson(subsystem.hits_per_event, len(events.tf)), 0)
    event = np.repeat(np.arange(len(events.tf)), multiplicity)
    signal = len(event)

    centre = events.direction[event] * subsystem.cells
    cell = np.concatenate(
        [
            random.integers(0, subsystem.cells, noise),
            np.rint(random.normal(centre, subsystem.cell_spread)).astype(np.int64) % subsystem.cells,
        ]
    )
    late_ps = np.clip(random.normal(subsystem.delay_ns, subsystem.time_spread_ns, signal), 0, 1000) * 1000
    time = np.concatenate(
        [
            random.integers(0, TF_PS, noise, dtype=np.int32),
            np.rint(events.time_ps[event] + late_ps).astype(np.int32),
        ]
    )
    amplitude = np.concatenate(
        [
            random.exponential(subsystem.amplitude / 20, noise),
            random.gamma(4.0, subsystem.amplitude / 4, signal),
        ]
    ).astype(np.int32)
    tf = np.concatenate([np.repeat(np.arange(count), noise_counts), events.tf[event]])

    # Readout order: TF by TF. A stable sort of whole numbers below 2^16 is a radix sort, linear in the hits.
    order = np.argsort(tf.astype(np.uint16), kind="stable")
    return Hits(
        counts=np.bincount(tf, minlength=count).astype(np.int32),
        cell_id=(cell[order].astype(np.uint64) << np.uint64(8)) | np.uint64(subsystem.system),
        amplitude=amplitude[order] + np.int32(subsystem.pedestal),
        time_stamp=time[order],
    )
