from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench import MakeBench, Workbench

from swf.core.payload import PayloadSpec
from swf.core.times import Clock, SystemClock


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[MakeBench]:
    """Makes pools, and closes them after the test."""
    made: list[Workbench] = []

    def make(spec: PayloadSpec, size: int = 1, clock: Clock | None = None) -> Workbench:
        made.append(Workbench(spec, size, clock or SystemClock(), tmp_path))
        return made[-1]

    yield make
    for workbench in made:
        workbench.pool.close(0.0)
