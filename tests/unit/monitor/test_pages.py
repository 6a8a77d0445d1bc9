"""The pages of runs, lists, details and decisions: what they show, to whom, and what they cost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import logged_in
from swf.store import alarms
from swf.store.models import Alarm, DeadLetter, RunNote, WorkflowExecution
from swf.web.models import AuditEntry
from swf.web.roles import Role
from taken_run import EXECUTION, NOW, RUN, TakenRun

HOSTILE = "<script>alert('x')</script>"
LISTS = (
    *("/runs", "/stfs", "/samples", "/slices", "/executions", "/messages"),
    *("/agents", "/logs", "/datasets", "/products", "/dead-letters", "/tasks"),
)
PANELS = ("ledger", "latency", "totals", "attempts", "logs", "parameters", "compare", "comments")


@pytest.fixture
def taken(store: Path) -> TakenRun:
    """A run in progress, with a slice that failed."""
    run = TakenRun()
    run.started()
    run.processed_stf(1)
    stf = run.stf(2, sample_count=1, slice_count=1)
    failed = run.slice(run.sample(stf), 0, "failed", reason=f"crashed {HOSTILE}", attempt=1)
    run.attempt(failed.name, 1, stderr_tail=HOSTILE)
    run.agent("worker")
    run.event("stf_gen", stf.name, text=HOSTILE)
    return run


def pages_of(run: TakenRun) -> list[str]:
    """Every page there is about a run."""
    name = f"swf.{run.number}.000002.stf"
    slice_name = f"swf.{run.number}.000002_slice_000.tf"
    return [
        "/",
        *LISTS,
        f"/runs/{run.number}",
        *(f"/runs/{run.number}/panel/{panel}" for panel in PANELS),
        f"/runs/{run.number}/histograms.json",
        f"/stfs/{name}",
        f"/slices/{slice_name}",
        f"/why/{slice_name}",
        f"/why/{run.number}",
        f"/executions/{run.execution}",
    ]


def test_every_page_is_shown_with_few_queries_and_text_as_text(taken: TakenRun) -> None:
    letter = taken.letter(body=HOSTILE, reason=HOSTILE)
    alarms.raise_alarm("testbed", "exit_buffer", text=HOSTILE, what_to_do=HOSTILE, now=NOW, run_number=RUN)
    client = logged_in("ann")
    for address in [*pages_of(taken), f"/dead-letters/{letter.pk}"]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(address)
        assert answer.status_code == 200, address
        assert len(queries) < 25, (address, len(queries))
        if "json" not in answer["Content-Type"]:
            assert "<script>alert" not in answer.text, address


def test_nobody_sees_a_page_without_a_login(taken: TakenRun) -> None:
    for address in pages_of(taken):
        assert Client().get(address).status_code == 302, address


def test_what_is_of_another_namespace_is_not_there(taken: TakenRun) -> None:
    stranger = logged_in("bob", {"elsewhere": Role.ADMIN})
    for address in pages_of(taken):
        answer = stranger.get(address)
        if address in {"/", *LISTS}:
            assert answer.status_code == 200
            assert str(RUN) not in answer.text, address
        else:
            assert answer.status_code == 404, address
    for form in ("csv", "json"):
        assert str(RUN) not in stranger.get(f"/slices?format={form}").getvalue().decode()
    for address in (f"/runs/{RUN}/stop", f"/runs/{RUN}/comment", f"/runs/{RUN}/retry", f"/executions/{EXECUTION}/stop"):
        assert stranger.post(address, {"reason": "because", "text": "because"}).status_code == 404, address


def test_the_pipeline_names_the_stage_that_limits(taken: TakenRun) -> None:
    waiting = taken.stf(3, sample_count=1, slice_count=1)
    taken.slice(taken.sample(waiting), 0, "queued")
    page = logged_in("ann").get("/").text
    assert "Run 100010" in page
    assert 'class="stage limits"' in page
    assert "Processing limits: 1 wait" in page or "no process" in page


def test_an_alarm_is_acknowledged_by_an_operator_only(taken: TakenRun) -> None:
    alarms.raise_alarm("testbed", "exit_buffer", text="it is full", what_to_do="make room", now=NOW)
    alarm = Alarm.objects.get()
    viewer = logged_in("ann")
    assert "Acknowledge" not in viewer.get("/").text
    assert viewer.post(f"/alarms/{alarm.pk}/acknowledge").status_code == 403
    operator = logged_in("olga", {"testbed": Role.OPERATOR})
    assert "Acknowledge" in operator.get("/").text
    assert operator.post(f"/alarms/{alarm.pk}/acknowledge").status_code == 302
    assert "acknowledged by olga" in viewer.get("/").text
    entry = AuditEntry.objects.get(action="alarm.acknowledge")
    assert (entry.who, entry.namespace) == ("olga", "testbed")


def test_a_form_of_another_site_does_nothing(taken: TakenRun) -> None:
    client = logged_in("olga", {"testbed": Role.OPERATOR}, csrf=True)
    assert client.post(f"/runs/{RUN}/stop", {"reason": "because"}).status_code == 403
    assert not WorkflowExecution.objects.exclude(stop_requested_by="").exists()


def test_a_run_is_stopped_with_a_reason_that_is_kept(taken: TakenRun) -> None:
    client = logged_in("olga", {"testbed": Role.OPERATOR})
    assert client.post(f"/runs/{RUN}/stop", {"reason": "  "}).status_code == 422
    answer = client.post(f"/runs/{RUN}/stop", {"reason": "beam is gone", "next": "https://elsewhere.example/"})
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{RUN}")
    execution = WorkflowExecution.objects.get()
    assert (execution.stop_requested_by, execution.stop_reason) == ("olga", "beam is gone")
    assert AuditEntry.objects.get(action="run.stop").reason == "beam is gone"


def test_a_dead_letter_is_redriven_or_given_up(taken: TakenRun) -> None:
    first, second = taken.letter(), taken.letter()
    client = logged_in("olga", {"testbed": Role.OPERATOR})
    assert "Discard" in client.get(f"/dead-letters/{first.pk}").text
    client.post(f"/dead-letters/{first.pk}/discard", {"reason": "it is a test"})
    client.post(f"/dead-letters/{second.pk}/redrive", {"reason": "the agent is new"})
    states = dict(DeadLetter.objects.values_list("pk", "state"))
    assert states == {first.pk: "discarded", second.pk: "retrying"}
    assert set(AuditEntry.objects.filter(action__startswith="dead").values_list("reason", flat=True)) == {
        "it is a test",
        "the agent is new",
    }


def test_a_slice_that_failed_is_wished_for_again(taken: TakenRun) -> None:
    client = logged_in("olga", {"testbed": Role.OPERATOR})
    name = f"swf.{RUN}.000002_slice_000.tf"
    assert "Try again" in client.get(f"/slices/{name}").text
    assert client.post(f"/slices/{name}/retry", {"reason": "mended"}).status_code == 302
    assert AuditEntry.objects.get(action="slice.retry").subject == name


def test_a_verdict_has_an_author_and_a_reason(taken: TakenRun) -> None:
    client = logged_in("olga", {"testbed": Role.OPERATOR})
    assert client.post(f"/runs/{RUN}/comment", {"text": "", "verdict": "bad"}).status_code == 422
    client.post(f"/runs/{RUN}/comment", {"text": "half of the tracker was off", "verdict": "bad"})
    note = RunNote.objects.get()
    assert (note.author, note.verdict) == ("olga", "bad")
    assert "olga" in client.get(f"/runs/{RUN}").text


def test_a_list_is_filtered_sorted_paged_and_exported(taken: TakenRun) -> None:
    for sequence in range(3, 9):
        taken.processed_stf(sequence)
    client = logged_in("ann")
    first = client.get(f"/stfs?run={RUN}&sort=-sequence&limit=3").text
    assert "000008.stf" in first
    assert "000005.stf" not in first
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "000005.stf" in client.get(following).text
    rows = list(csv.DictReader(client.get(f"/stfs?run={RUN}&format=csv").getvalue().decode().splitlines()))
    assert [int(row["sequence"]) for row in rows] == list(range(1, 9))
    assert len(json.loads(client.get("/stfs?format=json").getvalue())) == 8


@pytest.mark.parametrize(
    "query", ["staus=failed", "status=broken", "limit=many", "cursor=x", "sort=size", "format=xml"]
)
def test_a_question_that_a_list_does_not_have_is_said_to_be_so(taken: TakenRun, query: str) -> None:
    answer = logged_in("ann").get(f"/slices?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.text


def test_a_cell_of_an_export_is_no_formula(taken: TakenRun) -> None:
    taken.letter(reason="=HYPERLINK(1)")
    rows = list(csv.DictReader(logged_in("ann").get("/dead-letters?format=csv").getvalue().decode().splitlines()))
    assert [row["reason"] for row in rows] == ["'=HYPERLINK(1)"]


def test_messages_that_came_since_are_given_without_a_gap(taken: TakenRun) -> None:
    client = logged_in("ann")
    events = [taken.event("stf_gen", f"swf.{RUN}.00000{number}.stf") for number in range(3, 8)]
    numbers = [event.seq if event.seq is not None else event.pk for event in events]
    text = client.get(f"/messages/newer?after={numbers[0]}&type=stf_gen").text
    shown = [int(part.split('"')[0]) for part in text.split('href="/messages/')[1:]]
    assert shown == sorted(numbers[1:], reverse=True)
    assert f'data-last="{numbers[-1]}"' in text
    assert client.get("/messages/newer?after=x").status_code == 422
