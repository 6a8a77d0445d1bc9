"""The watcher: reports runs without progress, units stuck at a stage, and agents without heartbeat, as alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from swf.core.times import Clock, Interval
from swf.core.work import WorkState
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.epic.phases import RunPhase
from swf.messaging.agent import Agent
from swf.messaging.turn import TurnFactory
from swf.service.logs import Log
from swf.store import alarms
from swf.store.models import Event, Run, SystemAgent

ROLE = "watcher"

KEYS = "watcher."
"""What the keys of its alarms begin with."""

_STAGES = (("verification", StfFile), ("sampling", FastMonFile), ("processing", TfSlice))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """After how many seconds the watcher speaks up."""

    interval_s: float
    stall_s: float
    stuck_s: float
    heartbeat_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person should look at."""

    key: str
    text: str
    what_to_do: str
    run_number: int | None = None


def watcher_agent(*, namespace: str, limits: Limits, clock: Clock, log: Log) -> Agent:
    """The agent: it only looks."""
    return Agent(role=ROLE, reconcilers=(Watcher(namespace, limits, clock, log),))


class Watcher:
    """A reconciler: the alarms that are raised are those that the rows give cause for, no more and no fewer."""

    def __init__(self, namespace: str, limits: Limits, clock: Clock, log: Log) -> None:
        self._namespace = namespace
        self._limits = limits
        self._clock = clock
        self._log = log
        self._interval = Interval(clock, limits.interval_s)

    def step(self, begin: TurnFactory) -> bool:
        if not self._interval.is_over():
            return False
        now = self._clock.now()
        found = list(self.findings(now))
        if not found and not alarms.raised(self._namespace, KEYS):
            return False
        with begin():
            for finding in found:
                new = alarms.raise_alarm(
                    self._namespace,
                    finding.key,
                    text=finding.text,
                    what_to_do=finding.what_to_do,
                    run_number=finding.run_number,
                    now=now,
                )
                if new:
                    self._log.warning("alarm_raised", key=finding.key, text=finding.text, run_number=finding.run_number)
            alarms.clear_others(self._namespace, KEYS, {finding.key for finding in found}, now)
        return False

    def findings(self, now: datetime) -> Iterator[Finding]:
        """What gives cause for an alarm at this instant."""
        open_runs = list(
            Run.objects.filter(namespace=self._namespace, closed_at=None).values_list("run_number", flat=True)
        )
        for run_number in open_runs:
            yield from self._stalled(run_number, now)
            yield from self._stuck(run_number, now)
        yield from self._silent(now)

    def _stalled(self, run_number: int, now: datetime) -> Iterator[Finding]:
        # The newest row by its number, which an index finds; the greatest instant would be looked for in all of them.
        last = Event.objects.filter(run_number=run_number).order_by("-seq").values_list("created_at", flat=True).first()
        phase = RunState.objects.filter(pk=run_number).values_list("phase", flat=True).first()
        if phase == RunPhase.STANDBY or last is None or now - last < timedelta(seconds=self._limits.stall_s):
            return
        yield Finding(
            key=f"{KEYS}run.{run_number}",
            text=f"run {run_number} ({phase}) has made no progress for {(now - last).total_seconds():.0f} s",
            what_to_do=f"testbed runs explain {run_number}",
            run_number=run_number,
        )

    def _stuck(self, run_number: int, now: datetime) -> Iterator[Finding]:
        before = now - timedelta(seconds=self._limits.stuck_s)
        for stage, model in _STAGES:
            late = model._default_manager.filter(
                run_number=run_number, status=WorkState.PROCESSING, updated_at__lt=before
            ).order_by("updated_at")
            first = late.first()
            if first is not None:
                yield Finding(
                    key=f"{KEYS}unit.{run_number}.{stage}",
                    text=f"{first.name} is in {stage} since {first.updated_at:%H:%M:%S} UTC; {late.count()} so late",
                    what_to_do=f"testbed runs explain {first.name}",
                    run_number=run_number,
                )

    def _silent(self, now: datetime) -> Iterator[Finding]:
        before = now - timedelta(seconds=self._limits.heartbeat_s)
        silent = SystemAgent.objects.filter(namespace=self._namespace, last_heartbeat__lt=before)
        for agent in silent.exclude(status=SystemAgent.Status.EXITED):
            yield Finding(
                key=f"{KEYS}agent.{agent.instance_name}",
                text=f"{agent.instance_name} gave its last heartbeat at {agent.last_heartbeat:%H:%M:%S} UTC",
                what_to_do="look at its log, and start it again",
            )
