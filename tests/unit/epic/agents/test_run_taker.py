"""Executions that are asked for are taken one by one, held, gone on with, and brought to their end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from swf.core.errors import ConfigError
from swf.core.times import ManualClock
from swf.epic.agents.run_taker import RunTaker
from swf.epic.messages import RunImminent
from swf.epic.taking import Taking
from swf.service.executions import Status, request_pause, request_stop
from swf.store.models import Event, Run, SystemAgent, WorkflowDefinition, WorkflowExecution

NAME, NS = "daq_simulator-agent-ann-1", "testbed"


@dataclass
class Script:
    """A DAQ's script that a test plays."""

    finished: bool = False
    steps: int = 0
    pauses: list[str] = field(default_factory=list)
    resumes: int = 0
    held: bool = False

    @property
    def pacer(self) -> Any:
        return SimpleNamespace(held=self.held)

    def seconds_to_next(self) -> float | None:
        return None if self.finished else 1.5

    def step(self, begin: object) -> bool:
        self.steps += 1
        return not self.finished

    def pause(self, begin: object, reason: str) -> None:
        self.pauses.append(reason)
        self.held = True

    def resume(self, begin: object) -> None:
        self.resumes += 1
        self.held = False


class Daq:
    """The taker, with scripts by execution."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.scripts: dict[str, Script] = {}
        self.swept: list[int] = []
        self.broken: set[str] = set()
        self.start()

    def start(self, name: str = NAME) -> None:
        """Its process starts."""
        SystemAgent.objects.get_or_create(
            instance_name=name, defaults={"agent_type": "daq_simulator", "namespace": NS, "hostname": "elsewhere"}
        )
        log: Any = SimpleNamespace(info=lambda *a, **k: None, error=lambda *a, **k: None)
        self.taker = RunTaker(name, NS, self.clock, log, take=self._take, sweep=self.swept.append)

    def step(self) -> None:
        self.clock.advance(0.3)
        self.taker.step(_no_turn)

    def _take(self, execution: WorkflowExecution) -> Taking:
        if execution.pk in self.broken:
            raise ConfigError("its parameters are of another version")
        if execution.run_number is None:
            execution.run_number = 100_010 + WorkflowExecution.objects.exclude(run_number=None).count()
            execution.save()
        simulator: Any = self.scripts.setdefault(execution.pk, Script())
        buffer: Any = None
        return Taking(run_number=execution.run_number, buffer=buffer, simulator=simulator)


@contextmanager
def _no_turn() -> Iterator[Any]:
    yield None


@pytest.fixture
def daq(store: Path) -> Daq:
    return Daq()


def asked(daq: Daq, name: str, **changes: Any) -> str:
    """An execution that is asked for."""
    definition, _ = WorkflowDefinition.objects.get_or_create(
        workflow_name="w", version="", digest="", defaults={"created_at": daq.clock.now()}
    )
    daq.clock.advance(0.01)
    values: dict[str, Any] = {"namespace": NS, "status": Status.REQUESTED, "start_time": daq.clock.now(), **changes}
    WorkflowExecution.objects.create(execution_id=name, workflow_definition=definition, executed_by="ann", **values)
    return name


def status(name: str) -> str:
    return WorkflowExecution.objects.get(pk=name).status


def announced(daq: Daq, name: str, *, closed: bool = False, ended_by: str = "") -> int:
    """Its run is announced, and closed where that is said."""
    run_number = WorkflowExecution.objects.get(pk=name).run_number
    assert run_number is not None
    now = daq.clock.now()
    Event.objects.create(
        kind="message", type=RunImminent.msg_type, namespace=NS, run_number=run_number, created_at=now, body="{}"
    )
    end = now if closed else None
    Run.objects.create(
        run_number=run_number, namespace=NS, start_time=now, end_time=end, closed_at=end, ended_by=ended_by
    )
    return run_number


def test_they_are_taken_in_the_order_of_asking_and_one_at_a_time(daq: Daq) -> None:
    first, second = asked(daq, "w-ann-0001"), asked(daq, "w-ann-0002")
    asked(daq, "w-bob-0001", namespace="prod")
    for _ in range(3):
        daq.step()
    assert [status(name) for name in (first, second, "w-bob-0001")] == ["running", "requested", "requested"]
    assert WorkflowExecution.objects.get(pk=first).taken_by == NAME
    assert daq.taker.seconds_to_next() == 1.5
    daq.scripts[first].finished = True
    daq.step()
    daq.step()
    assert status(second) == "running", "the DAQ is free when the script is played, not when the run is closed"
    assert status(first) == "stopped", "it was never announced, so that there is nothing to close"


def test_an_execution_ends_when_its_run_is_closed(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    daq.step()
    run_number = announced(daq, name)
    daq.scripts[name].finished = True
    daq.step()
    assert (status(name), daq.swept) == ("running", [])
    Run.objects.update(closed_at=daq.clock.now())
    daq.step()
    assert (status(name), daq.swept) == ("completed", [run_number])
    assert WorkflowExecution.objects.get(pk=name).end_time is not None


def test_one_that_a_person_ended_is_stopped(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    daq.step()
    announced(daq, name, closed=True, ended_by="bob")
    daq.scripts[name].finished = True
    daq.step()
    assert status(name) == "stopped"


def test_a_pause_holds_the_script_and_frees_the_daq(daq: Daq) -> None:
    first, second = asked(daq, "w-ann-0001"), asked(daq, "w-ann-0002")
    daq.step()
    request_pause(first, "ann")
    daq.step()
    assert (status(first), daq.scripts[first].pauses) == ("paused", ["paused by ann"])
    daq.step()
    assert status(second) == "running"


def test_what_is_gone_on_with_is_let_go_on(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    daq.step()
    request_pause(name, "ann")
    daq.step()
    WorkflowExecution.objects.update(status=Status.REQUESTED, pause_requested_by="")
    daq.step()
    assert (status(name), daq.scripts[name].resumes) == ("running", 1)


def test_one_that_is_paused_before_it_was_taken_is_never_taken(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    request_pause(name, "ann")
    daq.step()
    assert (status(name), daq.scripts) == ("paused", {})


def test_one_that_is_held_is_taken_to_be_ended(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    daq.step()
    request_pause(name, "ann")
    daq.step()
    request_stop(WorkflowExecution.objects.get(pk=name), "bob", "enough")
    daq.step()
    assert status(name) == "running", "its script plays its end"


def test_a_process_that_starts_again_goes_on_with_what_it_had(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    daq.step()
    daq.start()
    daq.step()
    assert (status(name), daq.scripts[name].steps) == ("running", 2)


def test_a_pause_that_was_asked_for_while_it_was_away_is_heard(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    daq.step()
    request_pause(name, "ann")
    daq.start()
    daq.step()
    daq.step()
    assert (status(name), daq.scripts[name].resumes) == ("paused", 0)


def test_what_another_agent_plays_is_left_to_it_until_it_is_gone(daq: Daq) -> None:
    name = asked(daq, "w-ann-0001")
    daq.step()
    before = daq.clock.now()
    SystemAgent.objects.filter(pk=NAME).update(pid=1, last_heartbeat=before)
    daq.start("daq_simulator-agent-bob-2")
    daq.step()
    assert WorkflowExecution.objects.get(pk=name).taken_by == NAME
    daq.clock.advance(120)
    daq.step()
    assert WorkflowExecution.objects.get(pk=name).taken_by == "daq_simulator-agent-bob-2"


def test_one_that_cannot_be_taken_fails_with_the_reason_and_holds_up_nobody(daq: Daq) -> None:
    first, second = asked(daq, "w-ann-0001"), asked(daq, "w-ann-0002")
    daq.broken.add(first)
    daq.step()
    daq.step()
    assert (status(first), status(second)) == ("failed", "running")
    assert WorkflowExecution.objects.get(pk=first).status_reason == "its parameters are of another version"
