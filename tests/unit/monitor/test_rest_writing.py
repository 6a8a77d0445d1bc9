"""Writing over REST: who may, what is kept of it, what a dry run leaves, and what a repeat does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from rest_rows import OTHER, OTHER_RUN, every_kind, signed_in
from swf.core.work import WorkState
from swf.epic.models import SliceRetry, StfFile
from swf.epic.names import slice_name, stf_name
from swf.store.models import Alarm, DeadLetter, Event, RunNote, WorkflowExecution
from swf.web.models import AuditEntry, KeptAnswer
from swf.web.roles import Role
from swf.web.site import site
from taken_run import EXECUTION, RUN


@pytest.fixture
def operator(store: Path) -> Iterator[Client]:
    """An operator of `testbed`, with rows of every kind in the store, and a data directory of its own."""
    every_kind()
    with override_settings(SWF_SITE=replace(site(), data_dir=store.parent)):
        yield signed_in("ann", {"testbed": Role.OPERATOR})


def post(client: Client, path: str, status: int = 200, key: str | None = None, **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content
    return answer.json()


def letter(namespace: str = "testbed") -> int:
    return DeadLetter.objects.get(namespace=namespace).pk


def alarm(namespace: str = "testbed") -> int:
    return Alarm.objects.get(namespace=namespace).pk


def stf(sequence: int, run: int = RUN, **fields: Any) -> dict[str, Any]:
    return {
        "filename": stf_name(run, sequence),
        "sequence": sequence,
        "tf_count": 10,
        "tf_first": 0,
        "size_bytes": 100,
        "adler32": "0" * 8,
        "sha256": f"{sequence:064x}",
        **fields,
    }


VERBS = {
    "acknowledge": (lambda: f"alarms/{alarm()}/acknowledge", {}),
    "redrive": (lambda: f"dead-letters/{letter()}/redrive", {}),
    "discard": (lambda: f"dead-letters/{letter()}/discard", {}),
    "stop a run": (lambda: f"runs/{RUN}/stop", {}),
    "stop": (lambda: f"workflow-executions/{EXECUTION}/stop", {}),
    "retry": (lambda: f"runs/{RUN}/retry", {}),
    "register": (lambda: f"runs/{RUN}/stf-files", {"stfs": [stf(2)]}),
    "judge": (lambda: f"runs/{RUN}/verdict", {"verdict": "bad"}),
    "run number": (lambda: "counters/run/next", {"namespace": "testbed"}),
    "agent number": (lambda: "counters/agent/next", {"namespace": "testbed"}),
    "execution number": (
        lambda: "counters/execution/next",
        {"namespace": "testbed", "workflow": "mine", "user": "ann"},
    ),
}
CREATED = {"judge": 201}


@pytest.mark.parametrize("verb", VERBS)
def test_a_write_leaves_who_what_why_and_a_dry_run_leaves_nothing(operator: Client, verb: str) -> None:
    path, body = VERBS[verb]
    before = rows()
    post(operator, path(), CREATED.get(verb, 200), **body, reason="it must be", dry_run=True)
    assert rows() == before
    done = post(operator, path(), CREATED.get(verb, 200), **body, reason="it must be")
    assert rows() != before
    (entry,) = AuditEntry.objects.all()
    assert (entry.who, entry.namespace, entry.reason, entry.via) == ("ann", "testbed", "it must be", "page")
    assert entry.after
    assert done


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_not_is_refused_and_who_may_not_see_finds_nothing(operator: Client, verb: str) -> None:
    path, body = VERBS[verb]
    before, place = rows(), path()
    viewer = signed_in("vic", {"testbed": Role.VIEWER, OTHER: Role.ADMIN})
    post(viewer, place, 403, **body, reason="x")
    stranger = signed_in("eve", {OTHER: Role.ADMIN})
    post(stranger, place, 403 if place.startswith("counters") else 404, **body, reason="x")
    post(Client(), place, 401, **body, reason="x")
    assert rows() == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("verb", VERBS)
def test_bodies_that_are_not_expected(operator: Client, verb: str) -> None:
    path, body = VERBS[verb]
    before = rows()
    for wrong in ({"nonsense": 1}, {"dry_run": "perhaps"}, {"reason": "a\0b"}, {"reason": "x" * 4001}):
        refused = post(operator, path(), 422, **{**body, "reason": "x", **wrong})
        assert next(iter(wrong)) in json.dumps(refused["errors"])
    assert rows() == before


def rows() -> dict[str, Any]:
    """What writes change."""
    from swf.store.models import Counter

    return {
        "alarms": list(Alarm.objects.values_list("acknowledged_by", flat=True).order_by("id")),
        "letters": list(DeadLetter.objects.values_list("state", "decided_by").order_by("id")),
        "executions": list(WorkflowExecution.objects.values_list("stop_requested_by", "stop_reason").order_by("pk")),
        "retries": list(SliceRetry.objects.values_list("slice__name", "wished_by", "reason")),
        "stfs": list(StfFile.objects.values_list("name", "status").order_by("name")),
        "notes": list(RunNote.objects.values_list("author", "text", "verdict").order_by("id")),
        "events": Event.objects.count(),
        "counters": list(Counter.objects.values_list("name", "value").order_by("name")),
    }


def test_a_stop_keeps_who_and_why(operator: Client) -> None:
    done = post(operator, f"runs/{RUN}/stop", reason="beam is lost")
    assert (done["run"], done["by"], done["process"]) == (RUN, "ann", None)
    row = WorkflowExecution.objects.get(pk=EXECUTION)
    assert (row.stop_requested_by, row.stop_reason) == ("ann", "beam is lost")


def test_a_stop_of_what_has_ended_is_a_conflict(operator: Client) -> None:
    WorkflowExecution.objects.filter(pk=EXECUTION).update(status="completed")
    assert post(operator, f"runs/{RUN}/stop", 409, reason="x")["kind"] == "IllegalMoveError"
    assert not AuditEntry.objects.exists()


def test_a_pause_in_embedded_mode_says_how_it_is_done(operator: Client) -> None:
    refused = post(operator, f"workflow-executions/{EXECUTION}/pause", 409, reason="x")
    assert "Ctrl-C" in refused["detail"]


def test_only_what_failed_is_tried_again(operator: Client) -> None:
    failed, done = slice_name(stf_name(RUN, 1), 1), slice_name(stf_name(RUN, 1), 0)
    assert post(operator, f"runs/{RUN}/retry", slices=[failed], reason="disk is back")["slices"] == [failed]
    assert "is completed" in post(operator, f"runs/{RUN}/retry", 409, slices=[done], reason="x")["detail"]
    assert "no slice" in post(operator, f"runs/{RUN}/retry", 404, slices=["x"], reason="x")["detail"]


class TestRegistration:
    def test_of_many_with_a_repeat(self, operator: Client) -> None:
        stfs = [stf(n) for n in range(2, 52)]
        first = post(operator, f"runs/{RUN}/stf-files", stfs=stfs)
        assert first == {"run": RUN, "registered": [each["filename"] for each in stfs], "already": 0}
        again = post(operator, f"runs/{RUN}/stf-files", stfs=[*stfs, stf(52)])
        assert (again["registered"], again["already"]) == ([stf_name(RUN, 52)], 50)
        row = StfFile.objects.get(name=stf_name(RUN, 2))
        assert (row.status, row.namespace, row.sample_count) == (WorkState.QUEUED, "testbed", None)
        assert Event.objects.filter(type="stf_registered", sender="rest-ann").count() == 51

    def test_all_or_none(self, operator: Client) -> None:
        post(operator, f"runs/{RUN}/stf-files", stfs=[stf(2)])
        other = stf(2, sha256="f" * 64)
        refused = post(operator, f"runs/{RUN}/stf-files", 422, stfs=[stf(3), other])
        assert stf_name(RUN, 2) in refused["detail"]
        assert not StfFile.objects.filter(name=stf_name(RUN, 3)).exists()

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            (stf(2, filename=stf_name(RUN, 3)), "stfs.0"),
            (stf(2, run=OTHER_RUN), "stfs.0"),
            (stf(2, filename="../etc/passwd"), "stfs.0"),
            (stf(2, sha256="x"), "stfs.0.sha256"),
            (stf(2, size_bytes=-1), "stfs.0.size_bytes"),
            (stf(2, tf_count=True), "stfs.0.tf_count"),
        ],
    )
    def test_what_is_wrong_is_named(self, operator: Client, wrong: dict[str, Any], field: str) -> None:
        refused = post(operator, f"runs/{RUN}/stf-files", 422, stfs=[wrong])
        assert field in json.dumps(refused["errors"])
        assert not StfFile.objects.filter(sequence=2).exists()

    def test_named_twice(self, operator: Client) -> None:
        assert "twice" in post(operator, f"runs/{RUN}/stf-files", 422, stfs=[stf(2), stf(2)])["detail"]


class TestKeys:
    def test_a_number_is_given_once(self, operator: Client) -> None:
        body = {"namespace": "testbed", "reason": "a test"}
        first = post(operator, "counters/agent/next", key="k1", **body)
        assert post(operator, "counters/agent/next", key="k1", **body) == first
        assert post(operator, "counters/agent/next", key="k2", **body)["number"] == first["number"] + 1
        assert AuditEntry.objects.count() == 2

    def test_a_key_is_for_one_request(self, operator: Client) -> None:
        post(operator, "counters/agent/next", key="k", namespace="testbed", reason="a")
        refused = post(operator, "counters/agent/next", 422, key="k", namespace="testbed", reason="b")
        assert refused["errors"][0]["name"] == "Idempotency-Key"

    def test_a_request_that_failed_leaves_its_key_free(self, operator: Client) -> None:
        post(operator, f"runs/{RUN}/comments", 422, key="k", text="   ")
        assert not KeptAnswer.objects.exists()
        post(operator, f"runs/{RUN}/comments", 201, key="k", text="well")
        assert post(operator, f"runs/{RUN}/comments", 201, key="k", text="well")["text"] == "well"
        assert RunNote.objects.filter(text="well").count() == 1

    def test_keys_of_two_people_are_apart(self, operator: Client) -> None:
        body = {"namespace": "testbed", "reason": "a"}
        first = post(operator, "counters/agent/next", key="k", **body)
        bob = signed_in("bob", {"testbed": Role.OPERATOR})
        assert post(bob, "counters/agent/next", key="k", **body)["number"] == first["number"] + 1


def test_the_last_verdict_holds(operator: Client) -> None:
    post(operator, f"runs/{RUN}/verdict", 201, verdict="bad", reason="noise")
    run = operator.get(f"/api/v1/runs/{RUN}").json()
    assert (run["verdict"]["verdict"], run["verdict"]["author"], run["verdict"]["text"]) == ("bad", "ann", "noise")
    assert RunNote.objects.filter(run_number=RUN).count() == 2
    assert operator.get("/api/v1/runs").json()["items"][0]["verdict"] == "bad"
