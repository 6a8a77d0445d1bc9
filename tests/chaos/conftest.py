"""What the fault tests share: the run that is left alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from left_alone import Alone, Tell
from records import read_records
from scenario import Parameters, run_alone


@pytest.fixture(scope="session")
def tell() -> Tell:
    """Say something to who runs the tests; pytest keeps it back unless told otherwise (-s)."""

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    return say


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory, tell: Tell) -> Alone:
    """An undisturbed run."""
    parameters = Parameters()
    root = tmp_path_factory.mktemp("alone")
    ended, boundaries = run_alone(parameters, root)
    tell(f"\nleft alone: {ended.seconds:.1f} s, {sum(boundaries.values())} passages of {len(boundaries)} boundaries")
    return Alone(
        parameters=parameters, records=read_records(root / "data"), seconds=ended.seconds, boundaries=boundaries
    )


@pytest.fixture(scope="session")
def at_once() -> int:
    """How many runs at a time: two, or one where there is one core."""
    return min(2, len(os.sched_getaffinity(0)))


@pytest.fixture(scope="session")
def chaos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where disturbed runs are kept; those without harm are removed."""
    return tmp_path_factory.mktemp("chaos")
