"""Hits of events in files of ePIC's data models: `.edm4eic.root` and `.edm4hep.root`.

Read are the digitised hits, every collection `*RawHits`; where a file has none, the simulated ones: tracker hits, and
calorimeter hits with the time of their earliest contribution. Links between collections are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swf.core.errors import DataError
from swf.epic.stf.layout import TREE
from swf.epic.stf.rootfile import opened, tree_of
from swf.epic.stf.ticks import tick_ps

MAX_HITS: Final = 20_000_000
"""A larger file is read up to the event that reaches this number of hits."""

_EVENTS_AT_ONCE: Final = 100
_GEV_PER_COUNT: Final = 1e-6
_LATEST_PS: Final = 2.0**53
"""Up to here (2.5 hours) a float64 holds every picosecond."""
_INT32: Final = np.iinfo(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHits:
    """The hits of one subsystem in all events, one event after the other."""

    counts: NDArray[np.int64]
    """Per event."""
    cell_id: NDArray[np.uint64]
    amplitude: NDArray[np.int32]
    time_ps: NDArray[np.int64]
    """After the event's bunch crossing, or since whenever the file counts."""
    untimed: int = 0
    """Hits that the file has and that are not here, because they have no usable time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFile:
    """What a file of events holds."""

    name: str
    event_count: int
    collections: dict[str, EventHits]
    digitised: bool
    """Whether the hits are digitised ones; otherwise those of the simulation, with amplitudes of 1 keV."""
    simulated: bool
    """Whether the file says that it comes from a simulation: it has simulated particles or hits."""
    ticks_ps: dict[str, float]
    """Picoseconds per unit of time in the file, per collection."""


def read_events(path: Path) -> EventFile:
    """Read the hits of every event.

    Raises:
        DataError: the file is missing, not ROOT, truncated, corrupted, without events, or without timed hits.
        StorageError: it cannot be read now.
    """
    with opened(path) as file:
        tree = tree_of(path, file, TREE)
        branches = _branches(tree)
        readers = _raw_readers(branches) or _simulated_readers(branches)
        if not readers:
            raise DataError(f"{path} has no collection of timed hits (*RawHits, or *Hits with time)")
        if tree.num_entries == 0:
            raise DataError(f"{path} has no event")
        digitised = isinstance(readers[0], _Raw)
        parts: dict[str, list[EventHits]] = {reader.collection: [] for reader in readers}
        hits = events = 0
        for start, stop in _steps(int(tree.num_entries)):
            for reader in readers:
                part = reader.read(start, stop)
                parts[reader.collection].append(part)
                hits += len(part.cell_id)
            events = stop
            if hits >= MAX_HITS:
                break
        if hits == 0:
            raise DataError(f"{path} has {events} events and no hits in {len(readers)} collections")
    collections = {name: _joined(found) for name, found in parts.items()}
    return EventFile(
        name=path.name,
        event_count=events,
        collections={name: found for name, found in collections.items() if len(found.cell_id)},
        digitised=digitised,
        simulated=not digitised or "MCParticles" in branches,
        ticks_ps={reader.collection: reader.tick_ps for reader in readers},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A collection of digitised hits."""

    collection: str
    tick_ps: float
    cell_id: Any
    amplitude: Any
    time: Any

    def read(self, start: int, stop: int) -> EventHits:
        counts, cell_id = _flat(self.cell_id, start, stop)
        return _event_hits(
            self.collection,
            counts,
            cell_id,
            _flat(self.amplitude, start, stop)[1],
            np.rint(_flat(self.time, start, stop)[1] * self.tick_ps),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SimTracker:
    """A collection of simulated tracker hits: time in ns, energy in GeV."""

    collection: str
    cell_id: Any
    energy: Any
    time: Any
    tick_ps: float = 1000.0

    def read(self, start: int, stop: int) -> EventHits:
        counts, cell_id = _flat(self.cell_id, start, stop)
        energy = _flat(self.energy, start, stop)[1]
        time = _flat(self.time, start, stop)[1].astype(np.float64)
        return _event_hits(
            self.collection, counts, cell_id, np.ceil(energy / _GEV_PER_COUNT), np.rint(time * self.tick_ps)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SimCalorimeter:
    """A collection of simulated calorimeter hits, each with a range of contributions that have times."""

    collection: str
    cell_id: Any
    energy: Any
    begin: Any
    end: Any
    contribution_index: Any | None
    """The relation that `begin` and `end` count in: positions in the collection of contributions."""
    contribution_time: Any
    tick_ps: float = 1000.0

    def read(self, start: int, stop: int) -> EventHits:
        counts, cell_id = _flat(self.cell_id, start, stop)
        energy = _flat(self.energy, start, stop)[1]
        first = np.full(len(cell_id), np.nan)
        timed, edges, times = self._contributions(start, stop, counts)
        if len(edges):
            first[timed] = np.minimum.reduceat(np.append(times, np.inf), edges)[::2]
        return _event_hits(
            self.collection, counts, cell_id, np.ceil(energy / _GEV_PER_COUNT), np.rint(first * self.tick_ps)
        )

    def _contributions(
        self, start: int, stop: int, counts: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
        """Which hits have contributions, the first and the end of each one's, alternating, and all times in ns."""
        begin = _flat(self.begin, start, stop)[1].astype(np.int64)
        end = _flat(self.end, start, stop)[1].astype(np.int64)
        in_event, times = _flat(self.contribution_time, start, stop)
        if self.contribution_index is not None:
            # Positions count from the start of the event, in files; here from that of the first event.
            related, index = _flat(self.contribution_index, start, stop)
            if np.any(index >= np.repeat(in_event, related)):
                raise DataError(f"{self.collection}: a hit names contributions that are not there")
            absolute = index + np.repeat(np.cumsum(in_event) - in_event, related)
            times = np.where(index >= 0, np.append(times, np.inf)[absolute], np.inf)
            in_event = related
        if np.any((begin > end) | (end > np.repeat(in_event, counts))):
            raise DataError(f"{self.collection}: a hit names contributions that are not there")
        timed = end > begin
        before = np.repeat(np.cumsum(in_event) - in_event, counts)
        edges = np.stack([begin + before, end + before], axis=1)[timed].reshape(-1)
        return timed, edges, times.astype(np.float64)


def _branches(tree: Any) -> dict[str, Any]:
    """Branches by their path, `Collection` or `Collection.field`, however the file nests them."""
    found: dict[str, Any] = {}
    for branch in tree.branches:
        found[branch.name] = branch
        for inner in branch.branches:
            found[f"{branch.name}.{inner.name.rpartition('.')[2]}"] = inner
    return found


def _raw_readers(branches: dict[str, Any]) -> list[_Raw]:
    readers = []
    for collection in _collections(branches, "RawHits"):
        amplitude = branches.get(f"{collection}.amplitude")
        size = amplitude if amplitude is not None else branches.get(f"{collection}.charge")
        time = branches.get(f"{collection}.timeStamp")
        if size is not None and time is not None:
            readers.append(
                _Raw(
                    collection=collection,
                    tick_ps=tick_ps(collection, calorimeter=amplitude is not None),
                    cell_id=branches[f"{collection}.cellID"],
                    amplitude=size,
                    time=time,
                )
            )
    return readers


def _simulated_readers(branches: dict[str, Any]) -> list[_SimTracker | _SimCalorimeter]:
    readers: list[_SimTracker | _SimCalorimeter] = []
    for collection in _collections(branches, "Hits"):
        named = {field: branches.get(f"{collection}.{field}") for field in ("eDep", "EDep", "energy", "time")}
        energy = next((named[f] for f in ("eDep", "EDep", "energy") if named[f] is not None), None)
        cell_id, time = branches[f"{collection}.cellID"], named["time"]
        begin, end = (branches.get(f"{collection}.contributions_{edge}") for edge in ("begin", "end"))
        times = branches.get(f"{collection}Contributions.time")
        index = branches.get(f"_{collection}_contributions.index")
        if energy is None:
            continue
        if time is not None:
            readers.append(_SimTracker(collection=collection, cell_id=cell_id, energy=energy, time=time))
        elif begin is not None and end is not None and times is not None:
            readers.append(
                _SimCalorimeter(
                    collection=collection,
                    cell_id=cell_id,
                    energy=energy,
                    begin=begin,
                    end=end,
                    contribution_index=index,
                    contribution_time=times,
                )
            )
    return readers


def _collections(branches: dict[str, Any], suffix: str) -> Iterator[str]:
    from uproot import AsJagged

    for name, branch in branches.items():
        collection = name.removesuffix(".cellID")
        named = collection != name and collection.endswith(suffix) and not collection.startswith("_")
        if named and isinstance(branch.interpretation, AsJagged):
            yield collection


def _flat(branch: Any, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The values of a jagged branch in one piece, and how many each event has."""
    import awkward as ak

    array = branch.array(library="ak", entry_start=start, entry_stop=stop)
    return ak.to_numpy(ak.num(array)), ak.to_numpy(ak.flatten(array))


def _event_hits(
    collection: str, counts: NDArray[np.int64], cell_id: NDArray[Any], amplitude: NDArray[Any], time: NDArray[Any]
) -> EventHits:
    if not len(cell_id) == len(amplitude) == len(time):
        raise DataError(f"{collection}: its hits do not all have a cell, an amplitude and a time")
    known = np.abs(time) < _LATEST_PS  # false for what is not a number
    if not known.all():
        event = np.repeat(np.arange(len(counts)), counts)[known]
        counts = np.bincount(event, minlength=len(counts))
    return EventHits(
        counts=counts,
        cell_id=cell_id[known].astype(np.uint64),
        amplitude=np.clip(amplitude[known], _INT32.min, _INT32.max).astype(np.int32),
        time_ps=time[known].astype(np.int64),
        untimed=int(len(known) - known.sum()),
    )


def _joined(parts: list[EventHits]) -> EventHits:
    return EventHits(
        counts=np.concatenate([p.counts for p in parts]),
        cell_id=np.concatenate([p.cell_id for p in parts]),
        amplitude=np.concatenate([p.amplitude for p in parts]),
        time_ps=np.concatenate([p.time_ps for p in parts]),
        untimed=sum(p.untimed for p in parts),
    )


def _steps(entries: int) -> Iterator[tuple[int, int]]:
    for start in range(0, entries, _EVENTS_AT_ONCE):
        yield start, min(start + _EVENTS_AT_ONCE, entries)
