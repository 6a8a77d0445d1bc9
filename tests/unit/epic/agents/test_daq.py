"""The DAQ simulator as an agent: each STF is written, then announced with its own facts, whatever fails on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from epic_bench import RUN, EpicBench
from locked import locked
from swf.core.errors import StorageError
from swf.epic.agents.backlog import Backlog
from swf.epic.agents.daq_simulator import DaqSimulator, RunPlan, daq_agent
from swf.epic.buffer_keeper import BufferKeeper
from swf.epic.daq.exit_buffer import ExitBufferPolicy
from swf.epic.models import DaqStateEvent, StfFile
from swf.epic.names import stf_name
from swf.epic.run_settings import settings_from
from swf.epic.settings_daq import daq_parameters
from swf.service.executions import request_stop
from swf.storage.checksums import FileFacts, facts_of
from swf.store.models import Alarm, Event, Run, WorkflowExecution

STFS = 6


@dataclass(slots=True)
class TextStfs:
    """STFs of a few bytes each, no two alike."""

    folder: Path
    has_content: bool = True
    simulated: bool = True
    tf_count: int = 100
    expected_bytes: int = 100
    full: list[str] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    def write(self, sequence: int) -> FileFacts:
        if self.full:
            raise StorageError(self.full[0])
        self.written.append(sequence)
        path = self.folder / stf_name(RUN, sequence)
        path.write_text(f"STF number {sequence} " * 5)
        return facts_of(path)

    def tf_first(self, sequence: int) -> int:
        return self.tf_count * (sequence - 1)


class DaqBench:
    """The DAQ and the agents that register, on a run without sampling."""

    def __init__(self, folder: Path, *, capacity_bytes: int = 10**9, has_content: bool = True) -> None:
        self.bench = EpicBench(
            folder,
            "embedded",
            roles=("data", "fastmon"),
            fast_processing__stf_sampling_rate=0.0,
            fast_processing__stf_count=STFS,
        )
        self.writer = TextStfs(self.bench.workspace.exit_buffer, has_content)
        self.policy = ExitBufferPolicy(capacity_bytes=capacity_bytes, retention=timedelta(hours=72))
        self.execution = self.bench.execution()
        self.realtime = False
        self.start()

    def start(self) -> None:
        """The DAQ's process starts."""
        bench = self.bench
        plan = RunPlan(
            execution_id=self.execution.execution_id,
            run_number=RUN,
            parameters=_AsFastAs(daq_parameters(bench.configuration), realtime=self.realtime),
            workflow_params={},
        )
        self.simulator = DaqSimulator(
            plan,
            writer=self.writer,
            buffer=BufferKeeper(bench.workspace.exit_buffer, self.policy, bench.namespace, bench.clock),
            backlog=Backlog(RUN, settings_from("fast_processing", self.execution.parameter_values), 4),
            io=bench.io,
            clock=bench.clock,
        )
        bench.runtimes["daq"] = bench.agents.runtime(daq_agent(self.simulator))

    def restart(self) -> None:
        self.bench.kill()
        self.bench.start()
        self.start()

    def step(self) -> bool:
        worked = self.bench.runtimes["daq"].step()
        self.bench.io.wait("daq_simulator")
        return worked

    def until(self, reached: Callable[[], bool], step: Callable[[], bool]) -> None:
        """Step, and let time pass, until something is reached."""
        for _ in range(1000):
            if reached():
                return
            step()
            self.bench.io.wait("daq_simulator")
            self.bench.clock.advance(0.3)
        raise AssertionError("it was never reached")

    def finish(self) -> None:
        """Go on until the run is closed."""
        closed = Run.objects.filter(closed_at__isnull=False)
        self.until(lambda: self.simulator.finished and closed.all().exists(), self.bench.step)

    def told(self) -> list[str]:
        """What the DAQ has broadcast, in order."""
        name = self.bench.runtimes["daq"].identity.name
        rows = Event.objects.filter(kind="message", sender=name).order_by("seq")
        return [row.type if row.type != "stf_gen" else f"stf {json.loads(row.body)['sequence']}" for row in rows]


class _AsFastAs:
    """The configured times, as fast as the rest keeps up or in real time."""

    def __init__(self, parameters: object, *, realtime: bool) -> None:
        self._parameters = parameters
        self.realtime = realtime

    def __getattr__(self, name: str) -> object:
        return getattr(self._parameters, name)


WHOLE = ["run_imminent", "start_run", *(f"stf {n}" for n in range(1, STFS + 1)), "end_run"]


@pytest.fixture
def daq(sqlite_store: Path, tmp_path: Path) -> Iterator[DaqBench]:
    daq = DaqBench(tmp_path)
    yield daq
    daq.bench.close()


def test_a_run_is_taken_from_its_announcement_to_its_end(daq: DaqBench) -> None:
    daq.finish()
    assert daq.told() == WHOLE
    assert daq.writer.written == list(range(1, STFS + 1))
    assert set(StfFile.objects.values_list("status", flat=True)) == {"completed"}
    assert Run.objects.get().total_stf_files == STFS
    revisions = list(DaqStateEvent.objects.order_by("id").values_list("revision", flat=True))
    assert revisions == list(range(1, len(revisions) + 1))


def test_an_stf_is_announced_only_when_it_lies_there(daq: DaqBench) -> None:
    daq.until(lambda: bool(daq.writer.written), daq.step)
    assert "stf 1" not in daq.told()
    daq.step()
    assert daq.told()[-1] == "stf 1"


def test_stfs_without_content_are_announced_many_at_once(sqlite_store: Path, tmp_path: Path) -> None:
    daq = DaqBench(tmp_path, has_content=False)
    daq.step()
    assert daq.told() == ["run_imminent", "start_run", *(f"stf {n}" for n in range(1, 5))], "up to the window"
    daq.finish()
    assert daq.told() == WHOLE
    assert daq.writer.written == []
    daq.bench.close()


def test_a_daq_that_waits_for_the_rest_is_not_asked_again_and_again(sqlite_store: Path, tmp_path: Path) -> None:
    daq = DaqBench(tmp_path, has_content=False)
    daq.step()
    assert not daq.step()
    assert daq.simulator.seconds_to_next() is None, "nothing is due until something else has happened"
    daq.bench.runtimes["data"].step()
    assert daq.step()
    daq.bench.close()


@pytest.mark.parametrize("failing", range(1, 7))
def test_each_stf_is_announced_once_with_its_own_facts_where_the_database_fails(
    daq: DaqBench, sqlite_store: Path, failing: int
) -> None:
    for _ in range(failing):
        daq.bench.step()
        daq.bench.io.wait("daq_simulator")
        daq.bench.clock.advance(0.3)
    with locked(sqlite_store):
        for _ in range(3):
            with pytest.raises(OperationalError, match="locked"):
                _until_it_writes(daq)
            daq.bench.io.wait("daq_simulator")
    daq.finish()
    assert daq.told() == WHOLE
    for stf in StfFile.objects.all():
        facts = facts_of(daq.bench.workspace.exit_buffer / stf.name)
        assert (stf.sha256, stf.size_bytes, stf.status) == (facts.sha256, facts.size_bytes, "completed")


def _until_it_writes(daq: DaqBench) -> None:
    for _ in range(100):
        daq.step()
        daq.bench.clock.advance(0.3)


@pytest.mark.parametrize("steps", range(1, 16, 2))
def test_a_daq_that_is_killed_goes_on_behind_its_last_step(daq: DaqBench, steps: int) -> None:
    for _ in range(steps):
        daq.bench.step()
        daq.bench.clock.advance(0.3)
    daq.restart()
    daq.finish()
    assert daq.told() == WHOLE


def test_a_full_disk_pauses_the_run_and_loses_nothing(daq: DaqBench) -> None:
    daq.until(lambda: "stf 2" in daq.told(), daq.bench.step)
    daq.writer.full.append("no space left on device")
    for _ in range(20):
        daq.bench.step()
        daq.bench.io.wait("daq_simulator")
        daq.bench.clock.advance(0.3)
    assert "pause_run" in daq.told()
    alarm = Alarm.objects.get(cleared_at=None)
    assert "no space left on device" in alarm.text
    daq.writer.full.clear()
    daq.bench.clock.advance(3)
    daq.finish()
    told = daq.told()
    assert [each for each in told if each.startswith("stf")] == WHOLE[2:-1]
    assert told.count("pause_run") == told.count("resume_run") >= 1
    assert not Alarm.objects.filter(cleared_at=None).exists()
    assert Run.objects.get().total_stf_files == STFS


def test_a_daq_in_trouble_goes_on_also_where_the_database_fails_at_its_next_try(
    daq: DaqBench, sqlite_store: Path
) -> None:
    daq.writer.full.append("no space left on device")
    for _ in range(10):
        daq.bench.step()
        daq.bench.io.wait("daq_simulator")
        daq.bench.clock.advance(0.3)
    assert "pause_run" in daq.told()
    daq.writer.full.clear()
    daq.bench.clock.advance(3)
    for _ in range(3):
        with locked(sqlite_store), pytest.raises(OperationalError, match="locked"):
            _until_it_writes(daq)
        daq.bench.clock.advance(3)
    daq.finish()
    assert [each for each in daq.told() if each.startswith("stf")] == WHOLE[2:-1]


def test_a_file_that_cannot_be_removed_pauses_the_run(daq: DaqBench) -> None:
    def refuses(incoming_bytes: int, unregistered_bytes: int = 0) -> str:
        raise StorageError("swf.1.000001.stf cannot be removed: Read-only file system")

    refusal, daq.simulator._buffer.refusal = daq.simulator._buffer.refusal, refuses  # type: ignore[method-assign]
    for _ in range(20):
        daq.bench.step()
        daq.bench.clock.advance(0.3)
    assert daq.told() == ["run_imminent", "start_run", "pause_run"]
    assert "Read-only file system" in Alarm.objects.get(cleared_at=None).text
    daq.simulator._buffer.refusal = refusal  # type: ignore[method-assign]
    daq.bench.clock.advance(3)
    daq.finish()


@pytest.mark.parametrize("failing", range(1, 7))
def test_a_database_that_fails_and_stays_away_for_a_while_costs_no_step(daq: DaqBench, failing: int) -> None:
    """A commit fails, and whatever is asked for until the next step."""
    commits, is_away, failures = 0, False, 0

    def ask(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if is_away:
            raise OperationalError("the server is away")
        return execute(sql, params, many, context)

    def boundary(name: str) -> None:
        nonlocal commits, is_away
        commits += name == "before_commit"
        if name == "before_commit" and commits == failing:
            is_away = True
            raise OperationalError("the connection was lost")

    daq.bench.runtimes["daq"]._boundary = boundary
    with connection.execute_wrapper(ask):
        while not Run.objects.filter(closed_at__isnull=False).exists():
            try:
                daq.bench.step()
            except OperationalError:
                failures, is_away = failures + 1, False
                assert daq.simulator.seconds_to_next() is None, "nobody knows what is due before the record is read"
            daq.bench.io.wait("daq_simulator")
            daq.bench.clock.advance(0.3)
    assert failures == 1
    assert daq.told() == WHOLE


def test_an_operator_s_hold_may_come_while_an_stf_is_being_written(daq: DaqBench) -> None:
    daq.until(lambda: bool(daq.writer.written), daq.step)
    begin = daq.bench.runtimes["daq"].turn
    daq.simulator.pause(begin, "interrupted")
    for _ in range(5):
        daq.step()
        daq.bench.clock.advance(0.3)
    assert daq.told() == ["run_imminent", "start_run", "pause_run"]
    daq.simulator.resume(begin)
    daq.finish()
    assert [each for each in daq.told() if each.startswith("stf")] == WHOLE[2:-1]


def test_a_stop_ends_the_run_with_what_it_has(daq: DaqBench) -> None:
    daq.until(lambda: "stf 2" in daq.told(), daq.bench.step)
    request_stop(WorkflowExecution.objects.get(), "ann", "enough")
    daq.finish()
    told = daq.told()
    stfs = [each for each in told if each.startswith("stf")]
    assert told[-1] == "end_run"
    assert 2 <= len(stfs) < STFS
    run = Run.objects.get()
    assert (run.total_stf_files, run.ended_by) == (len(stfs), "ann")


def test_in_real_time_a_step_is_made_when_it_is_due(sqlite_store: Path, tmp_path: Path) -> None:
    daq = DaqBench(tmp_path)
    daq.realtime = True
    daq.start()
    waits = []
    for _ in range(100):
        if not daq.bench.runtimes["daq"].step():
            due = daq.simulator.seconds_to_next()
            if due is None:
                break
            waits.append(due)
            daq.bench.clock.advance(due)
        daq.bench.io.wait("daq_simulator")
    assert daq.simulator.finished
    assert daq.told() == WHOLE
    assert 0 < sum(waits) < 60
    daq.bench.close()
