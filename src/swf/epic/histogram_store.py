"""Keeping the monitoring histograms of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from swf.epic.models import MonitoringHistogram
from swf.epic.stf.histograms import Histograms, merged
from swf.store import bulk


def of_run(run_number: int) -> dict[str, Histograms]:
    """The histograms of a run, per subsystem."""
    rows = MonitoringHistogram.objects.filter(run_id=run_number).values_list("subsystem", "content")
    return {subsystem: Histograms.from_json(content) for subsystem, content in rows}


def add_to_run(run_number: int, samples: Iterable[Mapping[str, Histograms]], now: datetime) -> None:
    """Add the histograms of samples to those of their run; the fast-monitoring agent is the only one to do so."""
    before = of_run(run_number)
    after: Mapping[str, Histograms] = before
    for sample in samples:
        after = merged(after, sample)
    rows = [
        {"run_id": run_number, "subsystem": name, "content": histograms.to_json(), "updated_at": now}
        for name, histograms in after.items()
    ]
    changed = [row for row in rows if row["subsystem"] in before]
    bulk.insert(MonitoringHistogram, [row for row in rows if row["subsystem"] not in before])
    bulk.update(
        MonitoringHistogram,
        [
            (
                {"content": row["content"], "updated_at": now},
                {"run_id": run_number, "subsystem": row["subsystem"]},
            )
            for row in changed
        ],
    )
