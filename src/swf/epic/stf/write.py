"""Writing STF files: block by block, so that memory does not grow with the file, and atomically."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from swf.core.effects import Boundary, no_boundary
from swf.epic.stf.frames import Frames, Hits
from swf.epic.stf.layout import FIRST_CROSSING, MAX_TFS_PER_BASKET, PROVENANCE, TF_NUMBER, TREE
from swf.epic.stf.provenance import Provenance
from swf.epic.stf.rootsink import RootSink
from swf.storage.atomic import atomic_file
from swf.storage.checksums import FileFacts, facts_of

_BASKETS_FORESEEN: Final = 16
"""Room for the baskets of 1,000 TFs in the tree's header; uproot moves the header when there are more."""

_STREAMER_BYTES: Final = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class StfFacts(FileFacts):
    """What identifies an STF, and what is in it."""

    tf_count: int
    first_tf: int
    """Number of its first TF."""
    hits: int
    """Hits of all subsystems in all TFs."""


def write_stf(
    path: Path,
    frames: Iterable[Frames],
    *,
    provenance: Provenance,
    compression: str | None = None,
    boundary: Boundary = no_boundary,
) -> StfFacts:
    """Write consecutive TFs to `path`; their size and checksums are those of the finished file.

    The same TFs and provenance give the same bytes. `compression` is None, or `zlib`, `lzma`, `lz4`, `zstd` with a
    level: `zstd:3`.

    Raises:
        ValueError: there is no TF or no subsystem, the blocks differ in their subsystems, or are not consecutive.
        StorageError: it cannot be written: disk full, read-only, no permission ...
    """
    blocks = chain.from_iterable(f.blocks(MAX_TFS_PER_BASKET) for f in frames)
    with atomic_file(path, boundary=boundary) as temporary:
        with RootSink(temporary) as sink:
            tf_count, first_tf, hits = _fill(sink, blocks, provenance, compression)
            sink.settle()
        facts = facts_of(temporary)
    return StfFacts(
        size_bytes=facts.size_bytes,
        adler32=facts.adler32,
        sha256=facts.sha256,
        tf_count=tf_count,
        first_tf=first_tf,
        hits=hits,
    )


def compression_of(text: str | None) -> Any:
    """The uproot compression that `zstd:3` and the like name.

    Raises:
        ValueError: there is no such compression.
    """
    import uproot

    if text is None or text == "none":
        return None
    known = {"zlib": uproot.ZLIB, "lzma": uproot.LZMA, "lz4": uproot.LZ4, "zstd": uproot.ZSTD}
    name, _, level = text.partition(":")
    if name not in known or (level and not level.isdigit()):
        raise ValueError(f"the compression {text!r} is unknown: expected none or {', '.join(known)} with a level")
    return known[name](int(level or 1))


def _fill(
    sink: RootSink, blocks: Iterable[Frames], provenance: Provenance, compression: str | None
) -> tuple[int, int, int]:
    import uproot

    text = provenance.to_json()
    tree: Any = None
    names: Sequence[str] = ()
    first_tf, tf_count, hits = 0, 0, 0
    with uproot.recreate(
        sink,
        compression=compression_of(compression),
        initial_streamers_bytes=_STREAMER_BYTES,
        uuid_function=lambda: uuid5(NAMESPACE_OID, text),
    ) as file:
        file[PROVENANCE] = text
        for block in blocks:
            if tree is None:
                names, first_tf = list(block.hits), int(block.tf_number[0])
                tree = _new_tree(file, names)
            _check(block, names, first_tf + tf_count)
            tree.extend(_columns(block))
            tf_count += block.tf_count
            hits += block.hit_count
        if tree is None:
            raise ValueError("an STF has at least one TF")
    return tf_count, first_tf, hits


def _new_tree(file: Any, names: Sequence[str]) -> Any:
    import awkward as ak

    fields = {"cellID": "uint64", "amplitude": "int32", "timeStamp": "int32"}
    hits = ak.types.ListType(ak.types.RecordType([ak.types.NumpyType(t) for t in fields.values()], list(fields)))
    return file.mktree(
        TREE,
        {TF_NUMBER: np.uint64, FIRST_CROSSING: np.uint64, **dict.fromkeys(names, hits)},
        field_name=lambda collection, field: f"{collection}.{field}",
        counter_name=lambda collection: f"n{collection}",
        initial_basket_capacity=_BASKETS_FORESEEN,
    )


def _columns(block: Frames) -> dict[str, Any]:
    return {
        TF_NUMBER: block.tf_number,
        FIRST_CROSSING: block.first_bunch_crossing,
        **{name: _jagged(hits) for name, hits in block.hits.items()},
    }


def _jagged(hits: Hits) -> Any:
    import awkward as ak

    offsets = np.zeros(len(hits.counts) + 1, dtype=np.int64)
    np.cumsum(hits.counts, out=offsets[1:])
    fields = (hits.cell_id, hits.amplitude, hits.time_stamp)
    record = ak.contents.RecordArray([ak.contents.NumpyArray(f) for f in fields], ["cellID", "amplitude", "timeStamp"])
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), record))


def _check(block: Frames, names: Sequence[str], next_tf: int) -> None:
    if not names or list(block.hits) != list(names):
        raise ValueError(f"every block must have the same subsystems: {list(block.hits)[:5]}, before {names[:5]}")
    expected = np.arange(next_tf, next_tf + block.tf_count, dtype=np.uint64)
    if block.tf_count == 0 or not np.array_equal(block.tf_number, expected):
        raise ValueError(f"TFs must be consecutive: expected {next_tf} and following, got {block.tf_number[:3]}")
