"""Capacity: what a run asks of its workers, what they can do, and how far behind they fall.

All rates are means over the physics periods of a run (a fluid model): slices come evenly while STFs are taken, and
workers are always busy while there are slices. Ramp-up of workers and pauses of the run are left out; pauses only help.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Final

from swf.core.figures import duration, number_of
from swf.epic.sampling import sampled_count

_ROUNDING: Final = 5e-4
"""A rate is written with about four digits (1.667 for 5/3), so a load within this fraction of a whole number of workers
is that number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is planned.

    `stf_rate` is in STFs per second within physics periods; `stf_count` is the STFs of the run, None where it goes on
    until stopped; `slice_time_s` is what one slice takes one worker; `target_workers` is what was asked for, `cores`
    what this machine has.
    """

    stf_rate: float
    stf_count: int | None
    sampling_rate: float
    slices_per_sample: int
    slice_time_s: float
    target_workers: int
    cores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What a number of workers make of it.

    `utilisation` above 1 means that they fall behind. `backlog` (slices) is at the end of data taking and `drain_s` the
    time from there until it is done, beside up to one slice's time for those in work; both are None for a run without
    end that falls behind. `sustained_sampling_rate` is the largest sampling rate that they keep up with for ever.
    """

    workers: int
    slices_per_s: float
    utilisation: float
    backlog_growth_per_s: float
    backlog: float | None
    drain_s: float | None
    sustained_sampling_rate: float

    @property
    def keeps_up(self) -> bool:
        """Whether the workers follow in real time."""
        return self.utilisation <= 1 + _ROUNDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A demand, and what there is against it: workers `available` here and the workers asked for (`target`)."""

    demand: Demand
    stf_period_s: float
    run_s: float | None
    stfs_sampled: int | None
    slices: int | None
    slices_per_s: float
    workers_needed: int
    available: Supply
    target: Supply
    advice: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {**asdict(self), "advice": list(self.advice)}


def plan(demand: Demand) -> Plan:
    """Compare a demand with the workers there are.

    Raises:
        ValueError: a rate, time or number is out of range.
    """
    _check(demand)
    offered = demand.stf_rate * demand.sampling_rate * demand.slices_per_sample
    sampled = None if demand.stf_count is None else sampled_count(demand.stf_count, demand.sampling_rate)
    run_s = None if demand.stf_count is None else demand.stf_count / demand.stf_rate
    slices = None if sampled is None else sampled * demand.slices_per_sample
    needed = _workers_for(demand, demand.sampling_rate)
    available = _supply(demand, min(demand.target_workers, demand.cores), offered, slices, run_s)
    target = _supply(demand, demand.target_workers, offered, slices, run_s)
    return Plan(
        demand=demand,
        stf_period_s=1 / demand.stf_rate,
        run_s=run_s,
        stfs_sampled=sampled,
        slices=slices,
        slices_per_s=offered,
        workers_needed=needed,
        available=available,
        target=target,
        advice=_advice(demand, sampled, needed, available, target),
    )


def _check(demand: Demand) -> None:
    for name in ("stf_rate", "slice_time_s", "slices_per_sample", "target_workers", "cores"):
        if not getattr(demand, name) > 0:
            raise ValueError(f"{name} is {getattr(demand, name)}: expected more than 0")
    if not 0 <= demand.sampling_rate <= 1:
        raise ValueError(f"sampling_rate is {demand.sampling_rate}: expected 0 to 1")
    if demand.stf_count is not None and demand.stf_count < 1:
        raise ValueError(f"stf_count is {demand.stf_count}: expected at least 1, or None until stopped")


def _supply(demand: Demand, workers: int, offered: float, slices: int | None, run_s: float | None) -> Supply:
    rate = workers / demand.slice_time_s
    growth = max(0.0, offered - rate)
    backlog: float | None = None
    if slices is not None and run_s is not None:
        backlog = max(0.0, slices - rate * run_s)
    elif growth == 0:
        backlog = 0.0
    return Supply(
        workers=workers,
        slices_per_s=rate,
        utilisation=offered / rate,
        backlog_growth_per_s=growth,
        backlog=backlog,
        drain_s=None if backlog is None else backlog / rate,
        sustained_sampling_rate=min(1.0, rate / (demand.stf_rate * demand.slices_per_sample)),
    )


def _advice(demand: Demand, sampled: int | None, needed: int, available: Supply, target: Supply) -> tuple[str, ...]:
    if demand.sampling_rate == 0 or sampled == 0:
        none = "no STF" if demand.sampling_rate == 0 else f"none of the {demand.stf_count} STFs of this run"
        return (f"{none} is sampled at a sampling rate of {demand.sampling_rate:g}: there is nothing to process",)
    lines = [_verdict(demand, needed, available)]
    if available.workers < target.workers:
        cores = number_of(demand.cores, "core")
        here = f"{target.workers} workers are asked for and this machine has {cores}: {available.workers} run"
        there = "keep up" if target.keeps_up else f"fall behind as well ({target.utilisation:.3g} times their capacity)"
        lines.append(f"{here}; all {target.workers} would {there}")
    if not available.keeps_up:
        lines.append(
            f"{number_of(available.workers, 'worker')} sustain{'s' * (available.workers == 1)} a sampling rate of "
            f"{available.sustained_sampling_rate:.3g} with slices of {demand.slice_time_s:g} s; full sampling "
            f"needs {_workers_for(demand, 1.0)} workers"
        )
    return tuple(lines)


def _verdict(demand: Demand, needed: int, supply: Supply) -> str:
    workers, one = number_of(supply.workers, "worker"), "s" * (supply.workers == 1)
    if supply.keeps_up:
        return f"{workers} keep{one} up: {needed} needed for real time"
    behind = f"real time needs {needed} workers; {workers} fall{one} behind"
    if supply.backlog is None or supply.drain_s is None:
        return f"{behind} by {supply.backlog_growth_per_s * 3600:.0f} slices an hour, for as long as the run goes on"
    return (
        f"{behind}: about {supply.backlog:.0f} slices wait at the end of the run, and take "
        f"{duration(supply.drain_s)} more"
    )


def _workers_for(demand: Demand, sampling_rate: float) -> int:
    return ceil(demand.stf_rate * sampling_rate * demand.slices_per_sample * demand.slice_time_s / (1 + _ROUNDING))
