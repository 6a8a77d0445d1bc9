"""Content of STFs from real events: those of a file, placed into TFs by shifting the times of their hits.

Each TF gets a Poisson number of events, each drawn at random from the file and put at a random bunch crossing at which
all its hits are within the TF. A hit's time in the TF is that of the crossing plus its own, in ps; so the differences
between the times of an event's hits are those of the file, exactly. Placed from the seed, the run, the sequence and the
block of TFs: the same STF is the same bytes whenever and in whichever order it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swf.core.errors import DataError
from swf.epic.stf.edm4hep import EventFile, EventHits, read_events
from swf.epic.stf.frames import Frames, Hits, crossing_time_ps, tf_numbers
from swf.epic.stf.layout import CROSSING_PS, MAX_TFS_PER_BASKET, TF_PS
from swf.epic.stf.provenance import Provenance
from swf.storage.checksums import facts_of

EVENTS_PER_TF: Final = 1.0

_WINDOW_PS: Final = TF_PS - ceil(CROSSING_PS) - 2
"""The longest event: one bunch crossing shorter than a TF, so that there is a crossing for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySource:
    """Places the events of a file into the TFs of STFs."""

    file: str
    sha256: str
    seed: int
    events_per_tf: float
    simulated: bool
    digitised: bool
    event_count: int
    hits_left_out: int
    """Hits of the file that cannot be placed: without a time, or further than a TF from the rest of their event."""
    ticks_ps: Mapping[str, float]
    collections: Mapping[str, EventHits]
    lowest: NDArray[np.int64]
    """Per event, the first and the last bunch crossing at which all its hits are within a TF."""
    highest: NDArray[np.int64]

    @classmethod
    def open(cls, path: Path, *, seed: int, events_per_tf: float = EVENTS_PER_TF) -> ReplaySource:
        """Read the events of a `.edm4eic.root` or `.edm4hep.root` file.

        Raises:
            ValueError: `events_per_tf` is not positive.
            DataError: the file is missing, not ROOT, truncated, or has no timed hits.
            StorageError: it cannot be read now.
        """
        if not events_per_tf > 0:
            raise ValueError(f"events_per_tf is {events_per_tf}; expected a positive number")
        events = read_events(path)
        placeable, lowest, highest = _placeable(events)
        hits = sum(len(found.cell_id) for found in placeable.values())
        if hits == 0:
            raise DataError(f"{path} has hits, but none with a usable time")
        had = sum(len(found.cell_id) + found.untimed for found in events.collections.values())
        return cls(
            file=events.name,
            sha256=facts_of(path).sha256,
            seed=seed,
            events_per_tf=events_per_tf,
            simulated=events.simulated,
            digitised=events.digitised,
            event_count=events.event_count,
            hits_left_out=had - hits,
            ticks_ps=events.ticks_ps,
            collections=placeable,
            lowest=lowest,
            highest=highest,
        )

    def provenance(self, run: int, sequence: int) -> Provenance:
        """What is kept in the file."""
        return Provenance(
            simulated=self.simulated,
            origin=self.file,
            origin_sha256=self.sha256,
            seed=self.seed,
            run=run,
            sequence=sequence,
            parameters={
                "events_per_tf": self.events_per_tf,
                "events_in_file": self.event_count,
                "digitised": self.digitised,
                "hits_left_out": self.hits_left_out,
                "ticks_ps": {name: self.ticks_ps[name] for name in self.collections},
            },
        )

    def frames(self, *, run: int, sequence: int, first_tf: int, tf_count: int) -> Iterator[Frames]:
        """The TFs of an STF, in blocks of at most 64; `first_tf` is the number of its first TF."""
        for start in range(0, tf_count, MAX_TFS_PER_BASKET):
            count = min(MAX_TFS_PER_BASKET, tf_count - start)
            random = np.random.default_rng((self.seed, run, sequence, start // MAX_TFS_PER_BASKET))
            tf = np.repeat(np.arange(count), random.poisson(self.events_per_tf, count))
            event = random.integers(0, self.event_count, len(tf))
            crossing = random.integers(self.lowest[event], self.highest[event], endpoint=True)
            shift = crossing_time_ps(crossing)
            hits = {name: _placed(found, count, tf, event, shift) for name, found in self.collections.items()}
            yield Frames(tf_number=tf_numbers(first_tf + start, count), hits=hits)


def _placed(
    hits: EventHits, count: int, tf: NDArray[np.intp], event: NDArray[np.int64], shift: NDArray[np.int64]
) -> Hits:
    """The hits of `event[i]`, shifted by `shift[i]` ps, in TF `tf[i]`; `tf` does not decrease."""
    sizes = hits.counts[event]
    starts = (np.cumsum(hits.counts) - hits.counts)[event]
    index = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    return Hits(
        counts=np.bincount(np.repeat(tf, sizes), minlength=count).astype(np.int32),
        cell_id=hits.cell_id[index],
        amplitude=hits.amplitude[index],
        time_stamp=(hits.time_ps[index] + np.repeat(shift, sizes)).astype(np.int32),
    )


def _placeable(events: EventFile) -> tuple[dict[str, EventHits], NDArray[np.int64], NDArray[np.int64]]:
    """The hits that fit into a TF with the rest of their event, and the crossings where each event can be put.

    Of an event longer than a TF that is the stretch of a TF's length with the most hits, the earliest such.
    """
    event_of = {name: np.repeat(np.arange(events.event_count), h.counts) for name, h in events.collections.items()}
    all_events = np.concatenate(list(event_of.values()))
    times = np.concatenate([hits.time_ps for hits in events.collections.values()])
    order = np.lexsort((times, all_events))
    all_events, times = all_events[order], times[order]
    edges = np.searchsorted(all_events, np.arange(events.event_count + 1))
    earliest = np.zeros(events.event_count, dtype=np.int64)
    latest = np.zeros(events.event_count, dtype=np.int64)
    for event, (start, stop) in enumerate(pairwise(edges.tolist())):
        if start == stop:
            continue
        own = times[start:stop]
        inside = np.searchsorted(own, own + _WINDOW_PS, side="right") - np.arange(len(own))
        first = int(np.argmax(inside))
        earliest[event], latest[event] = own[first], own[first + inside[first] - 1]

    kept = {}
    for name, hits in events.collections.items():
        own_event = event_of[name]
        good = (hits.time_ps >= earliest[own_event]) & (hits.time_ps <= latest[own_event])
        if good.any():
            kept[name] = EventHits(
                counts=np.bincount(own_event[good], minlength=events.event_count),
                cell_id=hits.cell_id[good],
                amplitude=hits.amplitude[good],
                time_ps=hits.time_ps[good],
            )
    lowest = np.array([ceil(-int(t) / CROSSING_PS) for t in earliest], dtype=np.int64)
    highest = np.array([floor((TF_PS - 1 - int(t)) / CROSSING_PS) for t in latest], dtype=np.int64)
    return kept, lowest, highest
