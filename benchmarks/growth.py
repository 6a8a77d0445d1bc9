"""What runs in a fresh process: a long run, and how its memory grows."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.execution import WITHOUT_CONTENT, check, execution, open_folder, run_to_close

_EVERY_S = 0.5
_SHOWN = 8
_MALLINFO2 = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


def grown(*, folder: Path, stfs: int, limit_s: float) -> dict[str, Any]:
    """Take a run of `stfs` STFs without content; memory over time, and the objects that became more."""
    workspace = open_folder(folder)
    settings = {**WITHOUT_CONTENT, "simulation.realtime": False, "fast_processing.stf_count": stfs}
    samples: list[tuple[float, float, float, float]] = []
    in_use = _InUse()
    objects: list[Counter[str]] = []
    next_at, began = 0.0, time.perf_counter()

    with execution(workspace, settings) as (running, stages):

        def look() -> None:
            nonlocal next_at
            now = time.perf_counter() - began
            if now < next_at:
                return
            next_at = now + _EVERY_S
            announced = running.simulator.pacer.done
            samples.append((now, _rss_mb(), announced, in_use.megabytes()))
            if len(objects) < 1 and announced > stfs * 0.2:
                objects.append(_objects())

        timed = run_to_close(running, stages, limit_s, look)
        objects.append(_objects())
        check(running, stfs)
    before, after = objects[0], objects[-1]
    return {
        "samples": samples,
        "wall_s": timed.wall_s,
        "objects_before": before.total(),
        "objects_after": after.total(),
        "more": (after - before).most_common(_SHOWN),
    }


class _InUse:
    """What the C library has given out and not got back, in MB; 0 where it does not tell (only glibc does).

    RSS grows also where nothing more is in use: by the holes between blocks. Source: mallinfo2(3).
    """

    class _Facts(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in _MALLINFO2]

    def __init__(self) -> None:
        self._ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
        if self._ask is not None:
            self._ask.restype = self._Facts

    def megabytes(self) -> float:
        if self._ask is None:
            return 0.0
        facts = self._ask()
        return float(facts.uordblks + facts.hblkhd) / 1e6


def _rss_mb() -> float:
    """What the process has in memory at present, in MB of 10^6 bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _objects() -> Counter[str]:
    gc.collect()
    return Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
