"""The watcher: the alarms that are raised are those that the rows give cause for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from epic_bench import RUN, EpicBench
from swf.epic.agents.watcher import Limits, Watcher
from swf.epic.models import TfSlice
from swf.messaging.agent import Agent
from swf.messaging.runtime import Runtime
from swf.store.models import Alarm, Run, SystemAgent

LIMITS = Limits(interval_s=5.0, stall_s=60.0, stuck_s=300.0, heartbeat_s=90.0)


class Told:
    """A log that remembers."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})

    info = error = warning


class Watch:
    """A watcher beside the other agents, and time that passes."""

    def __init__(self, bench: EpicBench) -> None:
        self.bench = bench
        self.log = Told()
        watcher = Watcher(bench.namespace, LIMITS, bench.clock, self.log)
        self.runtime: Runtime = bench.agents.runtime(Agent(role="watcher", reconcilers=(watcher,)))

    def after(self, seconds: float) -> list[str]:
        """The keys of the alarms that are raised after so many seconds in which the agents only live."""
        self.bench.clock.advance(seconds)
        SystemAgent.objects.update(last_heartbeat=self.bench.clock.now())
        return self.look()

    def look(self) -> list[str]:
        self.bench.clock.advance(LIMITS.interval_s)
        self.runtime.step()
        return list(Alarm.objects.filter(cleared_at=None).order_by("key").values_list("key", flat=True))


@pytest.fixture
def bench(store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    with EpicBench(tmp_path, fast_processing__slices_per_sample=2) as bench:
        yield bench


@pytest.fixture
def watch(bench: EpicBench) -> Watch:
    return Watch(bench)


def test_there_is_nothing_to_say_of_a_run_that_goes_well(bench: EpicBench, watch: Watch) -> None:
    bench.send(*bench.daq().whole_run(2))
    bench.run()
    assert Run.objects.get().closed_at is not None
    assert watch.after(3600) == []
    assert watch.log.lines == []


def test_an_open_run_without_progress_is_stalled_until_there_is_some(bench: EpicBench, watch: Watch) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), daq.stf(1))
    bench.run()
    assert watch.after(30) == []
    assert watch.after(60) == [f"watcher.run.{RUN}"]
    alarm = Alarm.objects.get()
    assert alarm.text.startswith(f"run {RUN} (physics) has made no progress for ")
    assert (alarm.what_to_do, alarm.run_number) == (f"testbed runs explain {RUN}", RUN)
    # It is one alarm and one line, however long it lasts.
    assert watch.after(60) == [f"watcher.run.{RUN}"]
    assert Alarm.objects.count() == 1
    assert [line["event"] for line in watch.log.lines] == ["alarm_raised"]
    bench.send(daq.stf(2))
    bench.run()
    assert watch.look() == []
    assert Alarm.objects.get().cleared_at is not None


def test_a_run_that_is_paused_is_not_stalled(bench: EpicBench, watch: Watch) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), daq.pause())
    bench.run()
    assert watch.after(3600) == []


def test_an_ended_run_that_cannot_be_closed_is_stalled(bench: EpicBench, watch: Watch) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), daq.stf(1), daq.end(2))
    bench.run()
    assert watch.after(120) == [f"watcher.run.{RUN}"]


def test_a_unit_that_is_stuck_is_named(bench: EpicBench, watch: Watch) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), daq.stf(1))
    bench.run()
    TfSlice.objects.update(status="processing")
    assert f"watcher.unit.{RUN}.processing" in watch.after(301)
    alarm = Alarm.objects.get(key=f"watcher.unit.{RUN}.processing")
    assert alarm.text.startswith("swf.100010.000001_slice_000.tf is in processing since ")
    assert alarm.text.endswith("; 2 so late")


def test_an_agent_without_heartbeat_is_missed_until_it_says_good_bye(bench: EpicBench, watch: Watch) -> None:
    watch.after(0)
    bench.clock.advance(91)
    name = bench.runtimes["data"].identity.name
    SystemAgent.objects.exclude(pk=name).update(last_heartbeat=bench.clock.now())
    assert watch.look() == [f"watcher.agent.{name}"]
    SystemAgent.objects.filter(pk=name).update(status=SystemAgent.Status.EXITED)
    assert watch.look() == []


def test_it_looks_at_intervals_and_at_its_own_namespace(bench: EpicBench, watch: Watch) -> None:
    SystemAgent.objects.create(
        instance_name="data-agent-bob-9", agent_type="data", namespace="prod", last_heartbeat=bench.clock.now()
    )
    assert watch.after(3600) == []
    SystemAgent.objects.update(last_heartbeat=bench.clock.now())
    bench.clock.advance(LIMITS.heartbeat_s + 1)
    watch.runtime.step()
    raised = set(Alarm.objects.filter(cleared_at=None).values_list("key", flat=True))
    assert raised
    assert "watcher.agent.data-agent-bob-9" not in raised
    # Before the interval is over it does not look again.
    SystemAgent.objects.update(last_heartbeat=bench.clock.now())
    bench.clock.advance(LIMITS.interval_s - 1)
    watch.runtime.step()
    assert set(Alarm.objects.filter(cleared_at=None).values_list("key", flat=True)) == raised
