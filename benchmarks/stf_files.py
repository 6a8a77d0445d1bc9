"""STF files: how fast they are written next to a plain file of the same bytes, and a TF range read next to the whole.

Every repetition does each measurement once, in turn, and the medians are compared: the host is rarely quiet. All
writes are synced to disk. The content is SIMULATED, and made before it is timed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from swf.epic.stf.frames import Frames
from swf.epic.stf.read import open_stf, read_range
from swf.epic.stf.simulate import SimulatedSource
from swf.epic.stf.write import write_stf
from swf.storage.atomic import atomic_file
from swf.storage.checksums import facts_of

_TF_COUNT = 1000
_TARGET_BYTES = 256 << 20
_REPETITIONS = 5
_FIRST, _LAST = 500, 506
_BLOCK = 1 << 22


def run(folder: Path, *, target_bytes: int = _TARGET_BYTES, repetitions: int = _REPETITIONS) -> dict[str, float]:
    """Measure in `folder`, and remove what was written.

    `stf_write_ratio` is the rate of writing an STF, checksums included, over that of writing and checksumming a plain
    file of the same bytes; `stf_write_ratio_bare` is without checksums on the plain side. `stf_range_time_ratio` is the
    time to read 7 of 1,000 TFs over that to read them all.
    """
    source = SimulatedSource.of_size(seed=1, target_bytes=target_bytes, tf_count=_TF_COUNT)
    frames = list(source.frames(run=1, sequence=1, first_tf=0, tf_count=_TF_COUNT))
    stf, plain = folder / "bench.stf", folder / "bench.plain"
    write_stf(stf, frames, provenance=source.provenance(1, 1))
    size = stf.stat().st_size
    steps: dict[str, Callable[[], object]] = {
        "plain_write": lambda: _write_plain(plain, size),
        "stf_write": lambda: write_stf(stf, frames, provenance=source.provenance(1, 1)),
        "checksums": lambda: facts_of(plain),
        "range_read": lambda: read_range(stf, _FIRST, _LAST),
        "whole_read": lambda: _read_whole(stf),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repetitions):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - started)
    range_bytes = read_range(stf, _FIRST, _LAST).bytes_read
    stf.unlink()
    plain.unlink()
    seconds = {name: median(found) for name, found in times.items()}
    return {
        "stf_mb": size / 1e6,
        "stf_write_mb_per_s": size / 1e6 / seconds["stf_write"],
        "plain_write_mb_per_s": size / 1e6 / seconds["plain_write"],
        "stf_write_ratio": (seconds["plain_write"] + seconds["checksums"]) / seconds["stf_write"],
        "stf_write_ratio_bare": seconds["plain_write"] / seconds["stf_write"],
        "stf_range_read_s": seconds["range_read"],
        "stf_whole_read_s": seconds["whole_read"],
        "stf_range_time_ratio": seconds["range_read"] / seconds["whole_read"],
        "stf_range_bytes_ratio": range_bytes / size,
        "demo_stf_write_ms": 1000 * _demo_write(folder, repetitions),
    }


def _write_plain(path: Path, size: int) -> None:
    """The same number of bytes, none of them zero pages, written in large blocks and synced."""
    block = os.urandom(_BLOCK)
    with atomic_file(path) as temporary, temporary.open("wb", buffering=0) as file:
        left = size
        while left > 0:
            left -= file.write(block[:left])


def _read_whole(path: Path) -> int:
    with open_stf(path) as stf:
        return sum(frames.hit_count for frames in stf.blocks(0, _TF_COUNT - 1, 64))


def _demo_write(folder: Path, repetitions: int) -> float:
    """Seconds to write an STF of the default size: 100 TFs, about 2 MB."""
    source = SimulatedSource(seed=1)
    frames: list[Frames] = list(source.frames(run=1, sequence=1, first_tf=0, tf_count=100))
    times = []
    for _ in range(3 * repetitions):
        started = time.perf_counter()
        write_stf(folder / "demo.stf", frames, provenance=source.provenance(1, 1))
        times.append(time.perf_counter() - started)
    (folder / "demo.stf").unlink()
    return median(times)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.stdout.write(json.dumps(run(Path(made)), indent=2) + "\n")
