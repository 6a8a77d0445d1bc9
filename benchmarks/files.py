"""What runs in a fresh process: STF files written and read, each time next to plain files of the same bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import WrongRunError
from swf.epic.stf.frames import Frames, tf_numbers
from swf.epic.stf.layout import MAX_TFS_PER_BASKET
from swf.epic.stf.read import open_stf, read_range
from swf.epic.stf.simulate import SimulatedSource
from swf.epic.stf.write import StfFacts, write_stf
from swf.storage.checksums import facts_of

TFS, RANGE = 1000, (500, 506)
"""TFs of the files, and the entries that are read of them (both included): 7 TFs."""


def written_and_read(*, folder: Path, megabytes: int, repeats: int) -> dict[str, Any]:
    """Write and read STFs of about that size, uncompressed; seconds of each repeat."""
    source = SimulatedSource.of_size(seed=1, target_bytes=megabytes * 1_000_000, tf_count=TFS)
    provenance = source.provenance(run=1, sequence=1)
    # The hits of one basket, made before, stand in every basket: making them is not what is measured.
    [block] = source.frames(run=1, sequence=1, first_tf=0, tf_count=MAX_TFS_PER_BASKET)
    path, plain = folder / "one.stf", folder / "plain"
    took: dict[str, list[float]] = {name: [] for name in ("stf", "synced", "plain", "checksums", "range", "whole")}
    size = read = 0
    # The first file of a process pays for imports and for tables made once.
    write_stf(path, SimulatedSource(seed=1).frames(run=1, sequence=1, first_tf=0, tf_count=1), provenance=provenance)
    read_range(path, 0, 0)
    for _ in range(repeats):
        reached: dict[str, float] = {}
        facts, seconds = _timed(partial(_write, path, block, provenance, reached))
        took["stf"].append(seconds)
        took["synced"].append(reached["synced"] - reached["written"])
        content, size = path.read_bytes(), facts.size_bytes
        took["plain"].append(_timed(partial(_write_plain, plain, content))[1])
        del content
        plain.unlink()
        again, seconds = _timed(partial(facts_of, path))
        took["checksums"].append(seconds)
        part, seconds = _timed(partial(read_range, path, *RANGE))
        took["range"].append(seconds)
        (tfs, hits), seconds = _timed(partial(_read_whole, path))
        took["whole"].append(seconds)
        read = part.bytes_read
        if (again.sha256, tfs, hits, part.tf_count) != (facts.sha256, TFS, facts.hits, RANGE[1] - RANGE[0] + 1):
            raise WrongRunError(f"the file of {size} bytes does not hold what was written")
        path.unlink()
    return {"took": took, "size": size, "range_bytes": read}


def _write(path: Path, block: Frames, provenance: Any, reached: dict[str, float]) -> StfFacts:
    def boundary(name: str) -> None:
        reached[name] = time.perf_counter()

    return write_stf(path, _frames(block), provenance=provenance, boundary=boundary)


def _frames(block: Frames) -> Iterator[Frames]:
    for first in range(0, TFS, block.tf_count):
        count = min(block.tf_count, TFS - first)
        hits = {name: hits.select(0, count) for name, hits in block.hits.items()}
        yield Frames(tf_number=tf_numbers(first, count), hits=hits)


def _write_plain(path: Path, content: bytes) -> None:
    """The same bytes, from memory, on disk."""
    with path.open("wb", buffering=0) as file:
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())


def _read_whole(path: Path) -> tuple[int, int]:
    tfs = hits = 0
    with open_stf(path) as stf:
        for frames in stf.blocks(0, TFS - 1, MAX_TFS_PER_BASKET):
            tfs += frames.tf_count
            hits += frames.hit_count
    return tfs, hits


def _timed(function: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    result = function()
    return result, time.perf_counter() - began
