"""What runs in a fresh process: servers, one process per agent, and runs that are taken and processed there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import servers
from benchmarks.agents import Agents
from benchmarks.ceiling import ceiling
from benchmarks.execution import WITHOUT_CONTENT, check_rows, configured
from benchmarks.figures import WrongRunError, quantile
from benchmarks.instants import Instants, instants
from benchmarks.usage import sample
from swf.service.instrument import instruments

ROLES: Final = ("daq", "data", "fastmon", "fast_processing", "worker")

_SENDING_S: Final = 0.001
_SAMPLE_S: Final = 1.0
_WARM_S: Final = 4.0
REACHED: Final = 0.97
DRAINED_S: Final = 2.0
_PACE: Final = {
    "simulation.realtime": True,
    "daq_state_machine.no_beam_not_ready_delay": 0.1,
    "daq_state_machine.beam_not_ready_delay": 0.5,
    "daq_state_machine.beam_ready_delay": 0.1,
    "daq_state_machine.beam_not_ready_end_delay": 0.1,
    "daq_state_machine.broadcast_delay": 0.1,
    "daq_state_machine.sending_time": _SENDING_S,
    "daq_state_machine.stf_interval": 0.0,
}

# With each row's transaction, when that was committed: what is measured here needs no help of who is measured.
_SETTINGS: Final = {"track_commit_timestamp": "on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A run, from when it was asked for until it was closed."""

    run: int
    samples: tuple[dict[str, Any], ...]
    """What all processes used, once a second, with the seconds since the beginning."""


@contextmanager
def served(folder: Path, beside: Path) -> Iterator[tuple[Agents, servers.Served]]:
    """Servers, and the means to start agents there; this process's store is theirs."""
    with servers.both(beside, _SETTINGS) as running:
        from django.db import connection

        from swf.service.opening import open_service_store
        from swf.store import database

        apps = [instrument.django_app for instrument in instruments()]
        open_service_store(running.database, apps, application="bench", any_version=True)
        database.migrate()
        try:
            with Agents(running, folder) as agents:
                yield agents, running
        finally:
            connection.close()


def request(stfs: int, stf_per_s: float) -> str:
    """Ask for a run of so many STFs, and so many a second; 0: as many as the rest keeps up with."""
    from swf.core.times import SystemClock
    from swf.service.executions import Status, start_execution

    pace = {"simulation.realtime": False}
    if stf_per_s:
        pace = {**_PACE, "daq_state_machine.stf_generation_time": round(1 / stf_per_s - _SENDING_S, 6)}
    configuration, definition = configured({**WITHOUT_CONTENT, **pace, "fast_processing.stf_count": stfs})
    return start_execution(configuration, definition, "bench", SystemClock(), Status.REQUESTED).execution_id


def follow(execution: str, pids: Mapping[str, int], limit_s: float) -> Taken:
    """Wait until the run of an execution is closed.

    Raises:
        WrongRunError: it is not within `limit_s`, or was not taken to its end.
    """
    from swf.service.executions import Status
    from swf.store.models import WorkflowExecution

    began = time.perf_counter()
    samples = []
    row = WorkflowExecution.objects.get(pk=execution)
    while row.status in {Status.REQUESTED, Status.RUNNING}:
        seconds = time.perf_counter() - began
        if seconds > limit_s:
            raise WrongRunError(f"{execution} was {row.status} after {limit_s:.0f} s")
        samples.append({"s": seconds, **sample(pids)})
        time.sleep(max(0.0, _SAMPLE_S - (time.perf_counter() - began - seconds)))
        row.refresh_from_db()
    if row.status != Status.COMPLETED or row.run_number is None:
        raise WrongRunError(f"{execution} is {row.status}: {row.status_reason}")
    return Taken(run=row.run_number, samples=tuple(samples))


def rate(
    *, folder: Path, beside: str, stf_per_s: float, seconds: float, ramp: Sequence[float], rung_s: float, messages: int
) -> dict[str, Any]:
    """Measure the broker alone; hold a rate; then higher ones, one after the other, until one is not held."""
    with served(folder, Path(beside)) as (agents, running):
        alone = ceiling(running.bus, folder, messages)
        agents.start(*ROLES)
        pids = {**agents.pids, **running.pids}
        stfs: dict[int, int] = {}

        def take(stf_per_s: float, seconds: float) -> dict[str, Any]:
            number = round(stf_per_s * seconds)
            taken = follow(request(number, stf_per_s), pids, seconds * 3 + 60)
            stfs[taken.run] = number
            return {**_figures(instants(taken.run)), "stfs": number, "asked_per_s": stf_per_s, "samples": taken.samples}

        warm = take(stf_per_s, _WARM_S)
        held = take(stf_per_s, seconds)
        rungs = []
        for wanted in ramp:
            if is_held(held) and wanted <= stf_per_s:
                continue
            rungs.append(take(wanted, rung_s))
            if not is_held(rungs[-1]):
                break
        rows = check_rows(stfs)
    return {"ceiling": alone, "warm": warm, "held": held, "rungs": rungs, "rows": rows, "stfs": sum(stfs.values())}


def is_held(figures: Mapping[str, Any]) -> bool:
    """Whether a rate was held: it was reached, and what was announced last was soon done."""
    return bool(figures["stf_per_s"] >= REACHED * figures["asked_per_s"] and figures["drained_s"] <= DRAINED_S)


def _figures(times: Instants) -> dict[str, Any]:
    parts = {"queued": times.to_queued(), "claimed": times.to_claimed(), "done": times.to_done()}
    return {
        "stf_per_s": times.stf_per_s,
        "drained_s": times.drained_s,
        **{
            f"{name}_ms": {"p50": quantile(s, 0.5) * 1e3, "p99": quantile(s, 0.99) * 1e3, "max": max(s) * 1e3}
            for name, s in parts.items()
        },
    }
