"""The baskets of a TTree: which ones hold an entry range, and the values in one.

Reading goes round uproot's own arrays: the baskets of all branches are asked for at once, which is one round trip to a
server, and their values are taken in one piece. Format: ROOT's `io/doc/TFile` (TKey, TBasket).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swf.core.errors import DataError

_KEY: Final = struct.Struct(">ihiIhh")
_TAIL: Final = struct.Struct(">Hiiii")
"""The end of a basket's key: version, buffer size, entry size, number of entries, end of the values; one byte more."""

_BEGIN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """One basket of a branch: bytes `start` to `stop - 1` of the file, entries `first` to `last`, both included."""

    branch: str
    start: int
    stop: int
    first: int
    last: int


def baskets_of(branch: Any, first: int, last: int) -> list[Basket]:
    """The baskets of an uproot branch that hold the entries `first` to `last`.

    Raises:
        DataError: the tree's header is corrupted, or the baskets are kept in it, as in files of other programs.
    """
    written = int(branch.member("fWriteBasket"))
    entries = [int(e) for e in branch.member("fBasketEntry")[:written]] + [int(branch.member("fEntries"))]
    seeks, sizes = branch.member("fBasketSeek"), branch.member("fBasketBytes")
    if not 0 < written <= len(seeks) or entries[0] != 0 or any(a >= b for a, b in pairwise(entries)):
        raise DataError(f"branch {branch.name} has no valid list of baskets")
    return [
        Basket(
            branch=branch.name,
            start=int(seeks[i]),
            stop=int(seeks[i]) + int(sizes[i]),
            first=entries[i],
            last=entries[i + 1] - 1,
        )
        for i in range(written)
        if entries[i] <= last and entries[i + 1] > first
    ]


def fetch(source: Any, baskets: Sequence[Basket]) -> dict[Basket, NDArray[np.uint8]]:
    """The bytes of baskets, asked for at once from an uproot source; neighbours in the file are one read.

    Raises:
        DataError: a basket lies outside of the file, as far as one can know beforehand.
        OSError: they cannot be read.
    """
    from queue import Queue

    runs: list[list[Basket]] = []
    for basket in sorted(baskets, key=lambda b: b.start):
        if basket.start < _BEGIN or basket.stop <= basket.start:
            raise DataError(f"a basket of {basket.branch} is said to be at bytes {basket.start} to {basket.stop}")
        if runs and runs[-1][-1].stop == basket.start:
            runs[-1].append(basket)
        else:
            runs.append([basket])
    chunks = source.chunks([(run[0].start, run[-1].stop) for run in runs], Queue())
    found: dict[Basket, NDArray[np.uint8]] = {}
    for run, chunk in zip(runs, chunks, strict=True):
        chunk.wait(insist=True)
        data = np.asarray(chunk.raw_data)
        for basket in run:
            found[basket] = data[basket.start - run[0].start : basket.stop - run[0].start]
    return found


def values(basket: Basket, raw: NDArray[np.uint8], dtype: str) -> NDArray[Any]:
    """All values in a basket, one entry after the other, in the byte order of this host.

    Raises:
        DataError: it is not a basket, or not of this branch's type.
    """
    buffer = raw.data
    if len(buffer) < _KEY.size + _TAIL.size + 1:
        raise DataError(f"a basket of {basket.branch} is cut off")
    size, _, unpacked, _, key_size, _ = _KEY.unpack_from(buffer)
    if size != basket.stop - basket.start or not _KEY.size + _TAIL.size < key_size <= size or unpacked < 0:
        raise DataError(f"where a basket of {basket.branch} should be, at byte {basket.start}, there is none")
    _, _, _, entries, end = _TAIL.unpack_from(buffer, key_size - _TAIL.size - 1)
    if entries != basket.last - basket.first + 1 or not 0 <= end - key_size <= unpacked:
        raise DataError(f"the basket of {basket.branch} at byte {basket.start} contradicts the tree's header")
    content = _unpacked(raw, key_size, size - key_size, unpacked) if unpacked != size - key_size else raw[key_size:]
    wire = np.dtype(dtype).newbyteorder(">")
    if (end - key_size) % wire.itemsize or len(content) < end - key_size:
        raise DataError(f"the basket of {basket.branch} at byte {basket.start} is not of type {dtype}")
    return np.frombuffer(content[: end - key_size], dtype=wire).astype(dtype)


def _unpacked(raw: NDArray[np.uint8], start: int, packed: int, unpacked: int) -> NDArray[np.uint8]:
    from uproot.compression import decompress
    from uproot.source.chunk import Chunk
    from uproot.source.cursor import Cursor

    chunk = Chunk.wrap(None, raw)
    found: NDArray[np.uint8] = decompress(chunk, Cursor(start), {}, packed, unpacked).raw_data
    return found
