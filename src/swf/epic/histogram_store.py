"""Keeping the monitoring histograms of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from swf.epic.stf.histograms import Histograms


def add_to_run(run_number: int, samples: Iterable[Mapping[str, Histograms]], now: datetime) -> None:
    """Add the histograms of samples, given per subsystem, to those of their run. The fast-monitoring agent alone does so."""
    raise AssertionError
