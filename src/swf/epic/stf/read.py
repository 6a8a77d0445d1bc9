"""Reading STF files by TF range: only the baskets that hold it, from a local file or over `root://`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swf.core.errors import DataError
from swf.epic.stf.baskets import Basket, baskets_of, fetch, values
from swf.epic.stf.frames import Frames, Hits
from swf.epic.stf.layout import BUNCH_CROSSINGS_PER_TF, FIRST_CROSSING, PROVENANCE, TF_NUMBER, TF_PS, TREE
from swf.epic.stf.provenance import UNKNOWN, Provenance
from swf.epic.stf.rootfile import opened, reading, tree_of

_FIELDS: Final = {"cellID": "u8", "amplitude": "i4", "timeStamp": "i4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StfContent:
    """What an STF says of itself."""

    tf_count: int
    provenance: Provenance
    collections: tuple[str, ...]


def read_range(location: str | Path, first: int, last: int) -> Frames:
    """The TFs `first` to `last` of an STF or a TF sample file: 0-based entries, both included.

    Raises:
        DataError: the file is missing, empty, not ROOT, without the tree, truncated or corrupted, or the range is
            outside of it.
        StorageError: it cannot be read now.
        ConfigError: it is remote and the package that reads from servers is missing.
    """
    with open_stf(location) as stf:
        return stf.read(first, last)


def inspect(location: str | Path) -> StfContent:
    """How many TFs an STF has, where they come from, and its subsystems. The hits are not read.

    Raises:
        DataError, StorageError, ConfigError: as `read_range`.
    """
    with open_stf(location) as stf:
        return stf.content


@contextmanager
def open_stf(location: str | Path) -> Iterator[StfReader]:
    """Open an STF to read several ranges.

    Raises:
        DataError, StorageError, ConfigError: as `read_range`.
    """
    with opened(location) as file:
        yield StfReader(location, file)


class StfReader:
    """An STF that is open."""

    def __init__(self, location: str | Path, file: Any) -> None:
        self._location = location
        self._source = file.file.source
        self._bytes_reported = 0
        with reading(location):
            tree = tree_of(location, file, TREE)
            self._branches = {branch.name: branch for branch in tree.branches}
            self.content = StfContent(
                tf_count=int(tree.num_entries),
                provenance=Provenance.from_json(str(file[PROVENANCE])) if PROVENANCE in file else UNKNOWN,
                collections=_collections(self._branches),
            )
        self._types = {TF_NUMBER: "u8", FIRST_CROSSING: "u8"}
        for collection in self.content.collections:
            self._types[f"n{collection}"] = "i4"
            self._types |= {f"{collection}.{field}": dtype for field, dtype in _FIELDS.items()}

    def read(self, first: int, last: int) -> Frames:
        """The TFs `first` to `last`, both included.

        `bytes_read` counts what was read since the last call, the opening of the file included in the first.

        Raises:
            DataError: the range is outside of the file, or the file is truncated or corrupted.
            StorageError: it cannot be read now.
        """
        count = self.content.tf_count
        if not 0 <= first <= last < count:
            raise DataError(f"{self._location} has the TFs 0 to {count - 1}; asked for {first} to {last}")
        with reading(self._location):
            plan = self._plan(first, last)
            raw = fetch(self._source, [basket for baskets in plan.values() for basket in baskets])
            columns = {name: _joined(baskets, raw, self._types[name]) for name, baskets in plan.items()}
            start = first - plan[TF_NUMBER][0].first
            stop = start + last - first + 1
            return Frames(
                tf_number=_numbers(columns)[start:stop],
                hits={name: _hits(name, columns, start, stop) for name in self.content.collections},
                bytes_read=self._bytes_since(),
            )

    def blocks(self, first: int, last: int, size: int) -> Iterator[Frames]:
        """The same TFs, at most `size` at a time.

        Raises:
            DataError, StorageError: as `read`.
        """
        for start in range(first, last + 1, size):
            yield self.read(start, min(start + size - 1, last))

    def _plan(self, first: int, last: int) -> dict[str, list[Basket]]:
        plan = {name: baskets_of(self._branches[name], first, last) for name in self._types}
        edges = [(b.first, b.last) for b in plan[TF_NUMBER]]
        for name, baskets in plan.items():
            if [(b.first, b.last) for b in baskets] != edges:
                raise DataError(f"the baskets of {name} and {TF_NUMBER} do not hold the same TFs: it is not an STF")
        return plan

    def _bytes_since(self) -> int:
        total = int(self._source.num_requested_bytes)
        since, self._bytes_reported = total - self._bytes_reported, total
        return since


def _collections(branches: dict[str, Any]) -> tuple[str, ...]:
    collections = [name.removesuffix(".cellID") for name in branches if name.endswith(".cellID")]
    needed = [TF_NUMBER, FIRST_CROSSING, *(f"n{c}" for c in collections)]
    needed += [f"{collection}.{field}" for collection in collections for field in _FIELDS]
    missing = [name for name in needed if name not in branches]
    if missing or not collections:
        raise DataError(f"the tree has no branch {missing[0] if missing else '<Collection>.cellID'}: it is not an STF")
    return tuple(collections)


def _joined(baskets: Sequence[Basket], raw: dict[Basket, NDArray[np.uint8]], dtype: str) -> NDArray[Any]:
    parts = [values(basket, raw[basket], dtype) for basket in baskets]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _numbers(columns: dict[str, NDArray[Any]]) -> NDArray[np.uint64]:
    number, crossing = columns[TF_NUMBER], columns[FIRST_CROSSING]
    following = np.arange(len(number), dtype=np.uint64) + number[0]
    if not np.array_equal(number, following):
        raise DataError("its TF numbers are not consecutive: corrupted")
    if not np.array_equal(crossing, number * np.uint64(BUNCH_CROSSINGS_PER_TF)):
        raise DataError("its first bunch crossings are not those of its TFs: corrupted")
    return number


def _hits(collection: str, columns: dict[str, NDArray[Any]], start: int, stop: int) -> Hits:
    counts = columns[f"n{collection}"]
    cell_id, amplitude, time_stamp = (columns[f"{collection}.{field}"] for field in _FIELDS)
    total = int(counts.sum(dtype=np.int64))
    lengths = {len(cell_id), len(amplitude), len(time_stamp)}
    if len(counts) < stop or int(counts.min()) < 0 or lengths != {total}:
        raise DataError(f"{collection}: the numbers of hits contradict the hits: corrupted")
    if len(time_stamp) and (int(time_stamp.min()) < 0 or int(time_stamp.max()) >= TF_PS):
        raise DataError(f"{collection}: a time stamp is outside of its TF: corrupted")
    hits = Hits(counts=counts, cell_id=cell_id, amplitude=amplitude, time_stamp=time_stamp)
    return hits.select(start, stop)
