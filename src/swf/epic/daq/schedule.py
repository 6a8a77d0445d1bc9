"""The script of one run, driven by SimPy: which step comes when.

    no_beam/not_ready  no_beam_not_ready_delay
    beam/not_ready     run_imminent, broadcast, beam_not_ready_delay
    beam/ready         beam_ready_delay
    run/physics        start_run (later periods: resume_run), broadcast, STFs
    run/standby        between periods: pause_run, broadcast, standby_duration
    beam/not_ready     end_run, broadcast, beam_not_ready_end_delay
    no_beam/not_ready  the end; the next run's script begins here

The same parameters always give the same steps, so a process that starts again leaves out those already done.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from math import ceil
from typing import Final, TypeAlias

import simpy

from swf.epic.daq.boundary import RunBoundary
from swf.epic.daq.machine import Daq, DaqTrigger, moved
from swf.epic.daq.parameters import DaqParameters
from swf.epic.daq.states import NO_BEAM, State
from swf.epic.daq.steps import EndRun, Notice, PauseRun, ResumeRun, RunImminent, StartRun, Step, StfGen
from swf.epic.names import MAX_SEQUENCE
from swf.epic.sampling import near_equal

BETWEEN_PERIODS: Final = "standby between physics periods"
"""The reason of a pause that the script makes."""

_TOLERANCE: Final = 1e-6
"""A period of n STF periods has n STFs, whatever floating-point sums say; instants are kept to the microsecond."""

_Script: TypeAlias = Generator[simpy.Event, object, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A request to end a run early, kept with the run so that a restarted process makes the same closing steps.

    It came when `after` steps had been done, at simulated second `at`.
    """

    after: int
    at: float
    reason: str


def stf_period(parameters: DaqParameters) -> float:
    """Seconds from one STF to the next within a physics period: sending, generation and interval."""
    return parameters.sending_time + parameters.stf_generation_time + parameters.stf_interval


def stf_shares(parameters: DaqParameters) -> tuple[int, ...] | None:
    """How many STFs each physics period gets, where both numbers are given: near-equal, the larger shares first.

    `stf_count` is of the whole run; with fewer STFs than periods the last periods are empty. None where periods last
    `physics_period_duration` instead: without `stf_count`, or with `physics_period_count` 0 (then periods follow each
    other until `stf_count` is reached, or until the run is stopped).
    """
    if not parameters.stf_count or not parameters.physics_period_count:
        return None
    return near_equal(min(parameters.stf_count, MAX_SEQUENCE), parameters.physics_period_count)


def planned_stfs(parameters: DaqParameters) -> int | None:
    """How many STFs the run will have; None where it goes on until stopped."""
    if parameters.stf_count:
        return min(parameters.stf_count, MAX_SEQUENCE)
    if not parameters.physics_period_count:
        return None
    in_period = max(1, ceil((parameters.physics_period_duration - _TOLERANCE) / stf_period(parameters)))
    return min(in_period * parameters.physics_period_count, MAX_SEQUENCE)


def steps(parameters: DaqParameters, *, skip: int = 0, stop: Stop | None = None) -> Iterator[Step]:
    """The steps of a run, made one at a time as they are asked for; without waiting, whatever `realtime` says.

    With `skip`, the first that many are left out, as already done. With `stop`, the script is left after `stop.after`
    steps for those that close the run: end_run (where a run was announced), then back to no_beam. A stop that comes
    after end_run changes nothing; one that comes before run_imminent has no run to close, and there is no `EndRun`.

    Raises:
        ValueError: `skip` is negative.
    """
    if skip < 0:
        raise ValueError(f"cannot skip {skip} steps")
    return islice(_played(parameters, stop), skip, None)


@dataclass(slots=True)
class _Stage:
    """The DAQ on the stage: makes each step, by a legal move, at the present time of the environment."""

    parameters: DaqParameters
    env: simpy.Environment = field(default_factory=simpy.Environment)
    daq: Daq = field(default_factory=lambda: Daq(state=NO_BEAM))
    index: int = 0
    stfs: int = 0
    closing: bool = False
    made: Step | None = None

    def do(self, move: DaqTrigger | None = None, notice: Notice | None = None) -> simpy.Event:
        """Make a step. The script yields what this returns, so that no second step is made before this one is taken."""
        if move is not None:
            self.daq = moved(self.daq, move)
        at = round(float(self.env.now), 6)
        self.made = Step(index=self.index, at=at, state=self.daq.state, move=move, notice=notice)
        self.index += 1
        return self.wait(0)

    def stf(self) -> simpy.Event:
        self.stfs += 1
        return self.do(notice=StfGen(sequence=self.stfs))

    def wait(self, seconds: float) -> simpy.Event:
        return self.env.timeout(seconds)

    def wait_until(self, instant: float) -> simpy.Event:
        return self.wait(max(0.0, instant - self.env.now))

    def broadcast(self) -> simpy.Event:
        return self.wait(self.parameters.sending_time + self.parameters.broadcast_delay)

    def play(self, script: _Script) -> Iterator[Step]:
        """Give out each step of a script as the environment reaches it."""
        self.env.process(script)
        while self.env.peek() < float("inf"):
            self.env.step()
            if self.made is not None:
                made, self.made = self.made, None
                yield made


def _played(parameters: DaqParameters, stop: Stop | None) -> Iterator[Step]:
    stage = _Stage(parameters)
    script = stage.play(_run(stage))
    if stop is not None:
        yield from islice(script, stop.after)
        if not stage.closing:
            stage.env = simpy.Environment(initial_time=max(stop.at, stage.env.now))
            script = stage.play(_close(stage, stop.reason))
    yield from script


def _run(stage: _Stage) -> _Script:
    times = stage.parameters
    yield stage.do()
    yield stage.wait(times.no_beam_not_ready_delay)
    yield stage.do(DaqTrigger.BEAM_AVAILABLE)
    yield stage.do(DaqTrigger.RUN_IMMINENT, RunImminent())
    yield stage.broadcast()
    yield stage.wait(times.beam_not_ready_delay)
    yield stage.do(DaqTrigger.DETECTOR_READY)
    yield stage.wait(times.beam_ready_delay)
    yield stage.do(DaqTrigger.START_RUN, StartRun())
    yield stage.broadcast()
    shares = stf_shares(times)
    for period in count(1):
        yield from _timed_period(stage) if shares is None else _counted_period(stage, shares[period - 1])
        if period == times.physics_period_count or (shares is None and stage.stfs == _most(times)):
            break
        yield stage.do(DaqTrigger.PAUSE_RUN, PauseRun(reason=BETWEEN_PERIODS))
        yield stage.broadcast()
        yield stage.wait(times.standby_duration)
        yield stage.do(DaqTrigger.RESUME_RUN, ResumeRun())
        yield stage.broadcast()
    full = stage.stfs == MAX_SEQUENCE and times.stf_count != MAX_SEQUENCE
    yield from _close(stage, f"the run has {MAX_SEQUENCE} STFs, and no name for another" if full else "")


def _counted_period(stage: _Stage, stfs: int) -> _Script:
    """A physics period of that many STFs; it ends with the generation of the last one."""
    begin = stage.env.now
    for number in range(stfs):
        yield stage.wait_until(begin + number * stf_period(stage.parameters))
        yield stage.stf()
        yield stage.wait(stage.parameters.sending_time + stage.parameters.stf_generation_time)


def _timed_period(stage: _Stage) -> _Script:
    """A physics period of `physics_period_duration`, with an STF at its beginning and each STF period from there."""
    begin, times = stage.env.now, stage.parameters
    for number in count(1):
        yield stage.stf()
        yield stage.wait(times.sending_time + times.stf_generation_time)
        if stage.stfs == _most(times):
            return
        next_one = number * stf_period(times)
        if next_one >= times.physics_period_duration - _TOLERANCE:
            yield stage.wait_until(begin + times.physics_period_duration)
            return
        yield stage.wait_until(begin + next_one)


def _most(parameters: DaqParameters) -> int:
    return min(parameters.stf_count or MAX_SEQUENCE, MAX_SEQUENCE)


def _close(stage: _Stage, reason: str) -> _Script:
    stage.closing = True
    if stage.daq.run is not RunBoundary.NO_RUN:
        yield stage.do(DaqTrigger.END_RUN, EndRun(total_stfs=stage.stfs, reason=reason))
        yield stage.broadcast()
        yield stage.wait(stage.parameters.beam_not_ready_end_delay)
    if stage.daq.state.state is State.BEAM:
        yield stage.do(DaqTrigger.BEAM_DUMPED)
