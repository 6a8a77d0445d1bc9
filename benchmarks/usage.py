"""What processes use of the machine, as the kernel counts it. Source: proc(5)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One process, with the children that it has and, as to CPU time, had."""

    cpu_s: float
    rss_mb: float
    """In MB of 10^6 bytes; pages that children share are counted once for each."""
    descriptors: int
    threads: int


def usage_of(pid: int) -> Usage:
    """What a process has used up to now, and has at present."""
    cpu, rss, descriptors, threads = _one(pid, with_ended_children=True)
    for child in _children(pid):
        try:
            more = _one(child, with_ended_children=False)
        except OSError:  # it has ended meanwhile, and counts with its parent from now on
            continue
        cpu, rss, descriptors, threads = cpu + more[0], rss + more[1], descriptors + more[2], threads + more[3]
    return Usage(cpu_s=cpu / _TICKS, rss_mb=rss * _PAGE / 1e6, descriptors=descriptors, threads=threads)


def machine_cpu_s() -> float:
    """CPU time that anybody has used since the start of the machine."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / _TICKS


def sample(pids: Mapping[str, int]) -> dict[str, Any]:
    """What these processes use now, by name, and the machine."""
    return {
        "machine_cpu_s": machine_cpu_s(),
        "processes": {name: asdict(usage_of(pid)) for name, pid in pids.items()},
    }


def _one(pid: int, *, with_ended_children: bool) -> tuple[int, int, int, int]:
    folder = Path(f"/proc/{pid}")
    # Behind the name, which may contain anything but ends with the last bracket, the state is the first field.
    fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    ticks = [int(text) for text in fields[11 : 15 if with_ended_children else 13]]
    return sum(ticks), int(fields[21]), len(list((folder / "fd").iterdir())), int(fields[17])


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
