"""The pages of workflows, and the form that starts one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client, override_settings

from accounts import logged_in
from swf.config import Sources, WorkflowRegistry
from swf.core.modes import Mode
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.store.models import SystemAgent, WorkflowExecution
from swf.web.models import AuditEntry
from swf.web.roles import Role
from swf.web.site import site

START = "/workflows/fast_processing/start"
RATE = "set:fast_processing.stf_sampling_rate"


@contextmanager
def in_mode(mode: Mode) -> Iterator[None]:
    registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=Sources())
    with override_settings(SWF_SITE=replace(site(), mode=mode, workflows=registry)):
        yield


@pytest.fixture
def operator(store: Path) -> Iterator[Client]:
    with in_mode(Mode.SERVICE):
        yield logged_in("olga", {"testbed": Role.OPERATOR})


@pytest.fixture
def agents(store: Path) -> None:
    for role in ("daq_simulator", "data", "fastmon", "fast_processing", "worker", "watcher"):
        SystemAgent.objects.create(
            instance_name=f"{role}-agent-me-1",
            agent_type=role,
            namespace="testbed",
            operational_state="READY",
            last_heartbeat=site().clock.now(),
            pid=os.getpid(),
            hostname=socket.gethostname()[:100],
        )


def test_workflows_are_listed_and_shown(operator: Client) -> None:
    assert "/workflows/fast_processing" in operator.get("/workflows").text
    page = operator.get("/workflows/fast_processing").text
    assert RATE in page
    # What is run on a machine, and where, is not decided in a browser.
    assert "set:payload.command" not in page
    assert operator.get("/workflows/nothing").status_code == 404


@pytest.mark.usefixtures("agents")
def test_one_is_started_with_its_parameters_and_a_reason(operator: Client) -> None:
    answer = operator.post(START, {"reason": "commissioning", RATE: "0.5"})
    execution = WorkflowExecution.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/executions/{execution.pk}")
    assert execution.parameter_values["fast_processing"]["stf_sampling_rate"] == 0.5
    assert (execution.status, AuditEntry.objects.get(action="execution.start").reason) == ("requested", "commissioning")


@pytest.mark.usefixtures("agents")
def test_a_check_starts_nothing(operator: Client) -> None:
    assert "It can be started" in operator.post(START, {"reason": "look", "check": "yes"}).text
    assert not WorkflowExecution.objects.exists()


@pytest.mark.usefixtures("agents")
@pytest.mark.parametrize(
    ("field", "value"),
    [(RATE, "7"), (RATE, '"x'), ("set:payload.command", '["sh"]'), ("set:no.such", "1"), ("reason", "")],
)
def test_what_is_wrong_is_said_beside_the_form(operator: Client, field: str, value: str) -> None:
    answer = operator.post(START, {"reason": "a test", field: value})
    assert answer.status_code == 422
    assert field.removeprefix("set:") in answer.text
    assert not WorkflowExecution.objects.exists()


def test_not_before_every_agent_is_ready(operator: Client) -> None:
    answer = operator.post(START, {"reason": "a test", RATE: "0.5"})
    assert answer.status_code == 422
    assert "was ever started" in answer.text
    # What was written is still there.
    assert 'value="0.5"' in answer.text


@pytest.mark.usefixtures("agents")
def test_a_viewer_starts_nothing(operator: Client) -> None:
    viewer = logged_in("ann")
    assert "role of an operator" in viewer.get("/workflows/fast_processing").text
    assert viewer.post(START, {"reason": "a test"}).status_code == 403
    assert not WorkflowExecution.objects.exists()


def test_the_embedded_mode_says_how_a_run_is_started(store: Path) -> None:
    with in_mode(Mode.EMBEDDED):
        assert "testbed run fast_processing" in logged_in("ann").get("/workflows/fast_processing").text
