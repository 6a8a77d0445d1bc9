"""Workflows over REST: what there is, and starting one."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from rest_rows import signed_in
from swf.config import Sources, WorkflowRegistry
from swf.core.modes import Mode
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.store.models import Counter, SystemAgent, WorkflowDefinition, WorkflowExecution
from swf.web.models import AuditEntry
from swf.web.roles import Role
from swf.web.site import site

ROLES = ("daq_simulator", "data", "fastmon", "fast_processing", "worker", "watcher")


@contextmanager
def in_mode(mode: Mode) -> Iterator[None]:
    registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=Sources())
    with override_settings(SWF_SITE=replace(site(), mode=mode, workflows=registry)):
        yield


@pytest.fixture
def operator(store: Path) -> Iterator[Client]:
    with in_mode(Mode.SERVICE):
        yield signed_in("ann-b", {"testbed": Role.OPERATOR})


def agents_are_ready(*roles: str) -> None:
    for role in roles:
        SystemAgent.objects.create(
            instance_name=f"{role}-agent-me-1",
            agent_type=role,
            namespace="testbed",
            operational_state="READY",
            last_heartbeat=site().clock.now(),
            pid=os.getpid(),
            hostname=socket.gethostname()[:100],
        )


def start(client: Client, status: int, *, key: str = "", **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    whole = {"workflow": "fast_processing", "reason": "a test", **body}
    answer = client.post(
        "/api/v1/workflow-executions", json.dumps(whole), content_type="application/json", headers=headers
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def test_an_execution_is_asked_for_with_its_parameters(operator: Client) -> None:
    agents_are_ready(*ROLES)
    done = start(operator, 201, parameters={"fast_processing.stf_sampling_rate": 0.5})
    row = WorkflowExecution.objects.get()
    assert (row.execution_id, row.status, row.executed_by, row.namespace) == (
        "fast_processing-ann_b-0001",
        "requested",
        "ann_b",
        "testbed",
    )
    assert row.parameter_values["fast_processing"]["stf_sampling_rate"] == 0.5
    assert "request" in row.parameter_origins["fast_processing.stf_sampling_rate"]
    assert (done["execution"], done["status"]) == (row.execution_id, "requested")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.who, entry.reason) == ("execution.start", "ann-b", "a test")
    assert entry.after == {"execution": row.execution_id, "namespace": "testbed"}


def test_a_repeat_starts_no_second_one(operator: Client) -> None:
    agents_are_ready(*ROLES)
    assert start(operator, 201, key="k") == start(operator, 201, key="k")
    assert WorkflowExecution.objects.count() == 1


def test_a_dry_run_starts_nothing(operator: Client) -> None:
    agents_are_ready(*ROLES)
    done = start(operator, 201, dry_run=True)
    assert done["execution"] == "fast_processing-ann_b-0001"
    assert not WorkflowExecution.objects.exists()
    assert not WorkflowDefinition.objects.exists()
    assert not Counter.objects.exists()
    assert not AuditEntry.objects.exists()


def test_not_before_every_agent_is_ready(operator: Client) -> None:
    agents_are_ready(*ROLES[:-1])
    refused = start(operator, 409)
    assert "no watcher agent was ever started" in refused["detail"]
    assert not WorkflowExecution.objects.exists()


def test_the_embedded_mode_says_how_a_run_is_started(operator: Client) -> None:
    with in_mode(Mode.EMBEDDED):
        assert "testbed run fast_processing" in start(operator, 409)["detail"]


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"workflow": "fast_processin"}, 404, "fast_processing"),
        ({"workflow": "../../etc/passwd"}, 422, "workflow"),
        ({"parameters": {"payload.command": "rm"}}, 422, "what is run on a machine"),
        ({"parameters": {"stf.input": "/etc/passwd"}}, 422, "what is run on a machine"),
        ({"parameters": {"exit_buffer.path": "/"}}, 422, "what is run on a machine"),
        ({"parameters": {"database.password": "x"}}, 422, "what is run on a machine"),
        ({"parameters": {"daq.colour": 1}}, 422, "no such parameter"),
        ({"parameters": {"fast_processing.stf_sampling_rate": 7}}, 422, "stf_sampling_rate"),
        ({"parameters": {"fast_processing.stf_sampling_rate": "half"}}, 422, "stf_sampling_rate"),
        ({"namespace": "a b"}, 422, "namespace"),
        ({"namespace": "elsewhere"}, 403, "elsewhere"),
        ({"reason": ""}, 422, "reason"),
    ],
)
def test_what_cannot_be_started(operator: Client, wrong: dict[str, Any], status: int, said: str) -> None:
    agents_are_ready(*ROLES)
    assert said in json.dumps(start(operator, status, **wrong))
    assert not WorkflowExecution.objects.exists()


def test_a_viewer_starts_nothing(operator: Client) -> None:
    agents_are_ready(*ROLES)
    start(signed_in("vic", {"testbed": Role.VIEWER}), 403)


def test_every_parameter_says_where_it_comes_from(operator: Client) -> None:
    found = operator.get("/api/v1/workflows/fast_processing/parameters").json()["parameters"]
    by_name = {each["parameter"]: each for each in found}
    assert by_name["fast_processing.slices_per_sample"]["value"] == 15
    assert "fast_processing_default.toml" in by_name["fast_processing.slices_per_sample"]["origin"]
    assert [each["name"] for each in operator.get("/api/v1/workflows").json()["items"]]
    assert operator.get("/api/v1/workflows/x").status_code == 404


def test_every_address_answers_to_the_methods_of_its_description(operator: Client) -> None:
    """An address that two routers have answers to the methods of the first one alone."""
    paths = operator.get("/api/v1/openapi.json").json()["paths"]
    assert len(paths) > 80
    for path, methods in paths.items():
        for method in methods:
            answer = operator.generic(method.upper(), path.replace("{key}", "1"), "{}", "application/json")
            assert answer.status_code not in {405, 500}, (method, path)


def test_the_description_is_that_of_the_documentation(operator: Client) -> None:
    served = operator.get("/api/v1/openapi.json").json()
    kept = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
    assert served == json.loads(kept.read_text(encoding="utf-8")), "out of date: run: make docs"
