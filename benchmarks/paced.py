"""What runs in a fresh process: the whole system at the pace of the detector, and when each STF was where."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.execution import WITHOUT_CONTENT, check, execution, open_folder, run_to_close
from swf.core.times import SystemClock

PERIOD_S = 0.6
"""From one STF to the next."""

_PACE = {
    "simulation.realtime": True,
    # The period is sending (0.1 s), making and interval; the delays around data taking are nothing to wait for here.
    "daq_state_machine.stf_generation_time": 0.1,
    "daq_state_machine.stf_interval": 0.4,
    "daq_state_machine.no_beam_not_ready_delay": 0.1,
    "daq_state_machine.beam_not_ready_delay": 0.5,
    "daq_state_machine.beam_ready_delay": 0.1,
    "daq_state_machine.beam_not_ready_end_delay": 0.1,
    "daq_state_machine.broadcast_delay": 0.1,
}

_WITH_FILES = {"stf.content": "simulated", "stf.target_mb": 20, "stf.tf_count": 1000, "payload.name": "noop"}

_STF = re.compile(r"(swf\.\d+\.\d{6})[._]")


def paced(*, folder: Path, stfs: int, files: bool) -> dict[str, Any]:
    """Take a run of `stfs` STFs in real time, with 20 MB files or without; instants of each STF in seconds.

    `due`: when the DAQ was to announce it, by its own script; the others as `_instants` says.
    """
    workspace = open_folder(folder)
    clock = SystemClock()
    commits: list[datetime] = []

    def boundary(name: str) -> None:
        if name == "fast_processing.after_commit":
            commits.append(clock.now())

    settings = {**_PACE, **(_WITH_FILES if files else WITHOUT_CONTENT), "fast_processing.stf_count": stfs}
    with execution(workspace, settings, boundary) as (running, stages):
        timed = run_to_close(running, stages, limit_s=stfs * PERIOD_S * 4 + 60)
        check(running, stfs)
    return {
        "stfs": _instants(commits),
        "wall_s": timed.wall_s,
        "cpu_s": timed.cpu_s,
        "round_trips": timed.stages.round_trips,
        "stages": timed.stages.as_json(),
    }


def _instants(commits: list[datetime]) -> list[dict[str, float]]:
    """Per STF, the instants in the event log: that of each message, of each claim, of the last slice and its commit."""
    from swf.store.models import Event

    per_stf: dict[str, dict[str, datetime]] = defaultdict(dict)
    ticks: dict[str, float] = {}
    zero: float | None = None
    for event in Event.objects.order_by("id").iterator():
        body = json.loads(event.body)
        if event.type == "run_imminent":
            zero = event.created_at.timestamp() - body["simulation_tick"]
        found = _STF.match(event.subject)
        key = _key(event.type, body.get("item"))
        if found is None or key is None:
            continue
        per_stf[found[1]][key] = event.created_at
        if event.type == "stf_gen":
            ticks[found[1]] = body["simulation_tick"]
    assert zero is not None
    instants = []
    for name, known in sorted(per_stf.items()):
        committed = commits[bisect_left(commits, known["slice"])]
        seconds = {key: instant.timestamp() for key, instant in known.items()}
        instants.append({**seconds, "committed": committed.timestamp(), "due": zero + ticks[name]})
    return instants


def _key(kind: str, item: str | None) -> str | None:
    if kind in {"stf_gen", "stf_ready", "tf_file_registered", "slice"}:
        return kind
    return {"StfFile": "verify", "FastMonFile": "sample"}.get(item or "") if kind == "claim" else None
