"""What the benchmarks ran on: what figures depend on, and no names."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import django


def describe(folder: Path) -> dict[str, Any]:
    """The machine and the disk under `folder`, as they are now."""
    return {
        "date": datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),  # noqa: TID251 - the date of the measurement
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "django": django.get_version(),
        "sqlite": sqlite3.sqlite_version,
        "fsync_ms": _fsync_ms(folder),
    }


def _fsync_ms(folder: Path, count: int = 100) -> float:
    """How long it takes to have 4 KiB more of a file on disk: what every commit waits for, the middle of `count`."""
    took = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(count):
            file.write(b"\0" * 4096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - began) * 1e3)
    return median(took)
