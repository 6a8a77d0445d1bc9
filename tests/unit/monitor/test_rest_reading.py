"""Reading over REST: every list and every detail, in sight of a namespace."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from pydantic import TypeAdapter

from rest_rows import OTHER, OTHER_EXECUTION, OTHER_RUN, every_kind, signed_in
from swf.epic.usecases.daq_states import DAQ_STATES
from swf.epic.usecases.runs import RUNS
from swf.epic.usecases.samples import SAMPLES
from swf.epic.usecases.slices import SLICES
from swf.epic.usecases.stfs import STFS
from swf.service.queries.agents import AGENTS
from swf.service.queries.alarms import ALARMS
from swf.service.queries.datasets import DATASET_FILES, DATASETS
from swf.service.queries.dead_letters import LETTERS
from swf.service.queries.events import EVENTS, MESSAGES
from swf.service.queries.executions import EXECUTIONS
from swf.service.queries.logs import LOGS
from swf.service.queries.products import PRODUCTS
from swf.service.queries.run_notes import RUN_NOTES
from swf.web.roles import Role
from taken_run import EXECUTION, RUN

LISTS = (
    AGENTS,
    ALARMS,
    DAQ_STATES,
    DATASETS,
    DATASET_FILES,
    EVENTS,
    EXECUTIONS,
    LETTERS,
    LOGS,
    MESSAGES,
    PRODUCTS,
    RUNS,
    RUN_NOTES,
    SAMPLES,
    SLICES,
    STFS,
)
STF = f"swf.{RUN}.000001"
DETAILS = (
    f"workflow-executions/{EXECUTION}",
    f"workflow-executions/{EXECUTION}/",
    f"workflow-executions/{EXECUTION}/monitor",
    "agents/worker_testbed-agent-me-1",
    f"datasets/testbed:swf.{RUN}.run",
    f"products/{STF}.stf_slice_000_a1.json",
    f"runs/{RUN}",
    f"runs/{RUN}/ledger",
    f"runs/{RUN}/summary",
    f"runs/{RUN}/explain",
    f"runs/{RUN}/latency",
    f"runs/{RUN}/histograms",
    f"runs/{RUN}/replay",
    f"stf-files/{STF}.stf",
    f"tf-files/{STF}_tf_001.tf",
    f"tf-slices/{STF}_slice_000.tf",
    f"explain/{STF}.stf",
    f"explain/{EXECUTION}",
    f"run-comparison?first={RUN}&second={RUN}",
)
NUMBERED = {"alarms": "alarms", "dead-letters": "dead-letters", "events": "events", "logs": "logs"}

ids = {"ids": lambda each: each.name if hasattr(each, "name") else str(each)}


@pytest.fixture
def everything(store: Path) -> Client:
    """A client that may see all namespaces."""
    every_kind()
    return signed_in("all", {"*": Role.VIEWER})


@pytest.fixture
def ours(everything: Client) -> Client:
    """A client that may see the namespace `testbed`."""
    return signed_in("ann", {"testbed": Role.VIEWER})


def get(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1/{path}")
    text = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
    assert answer.status_code == status, text
    if "json" not in answer["Content-Type"] or "ndjson" in answer["Content-Type"]:
        return text.decode()
    return json.loads(text)


@pytest.mark.parametrize("listing", LISTS, **ids)
def test_a_list_has_what_may_be_seen(everything: Client, ours: Client, listing: Any) -> None:
    every, seen = get(everything, listing.name)["items"], get(ours, listing.name)["items"]
    assert len(every) == 2 * len(seen) > 0
    assert [line for line in every if line in seen] == seen
    text = json.dumps(seen)
    assert OTHER not in text
    assert str(OTHER_RUN) not in text
    TypeAdapter(list[listing.line]).validate_python(seen)


@pytest.mark.parametrize("listing", LISTS, **ids)
def test_the_filter_by_namespace_does_not_widen_what_is_seen(ours: Client, listing: Any) -> None:
    if "namespace" in listing.filters:
        assert get(ours, f"{listing.name}?namespace={OTHER}")["items"] == []
        assert get(ours, f"{listing.name}?namespace=testbed") == get(ours, listing.name)
    if "run" in listing.filters:
        assert get(ours, f"{listing.name}?run={OTHER_RUN}") == {"items": [], "next": None}
        assert get(ours, f"{listing.name}?run={RUN}")["items"]


@pytest.mark.parametrize("listing", LISTS, **ids)
def test_exports_have_the_whole_list(ours: Client, listing: Any) -> None:
    items = get(ours, listing.name)["items"]
    assert get(ours, f"{listing.name}.json") == items
    rows = list(csv.DictReader(io.StringIO(get(ours, f"{listing.name}.csv"))))
    assert len(rows) == len(items)
    assert list(rows[0]) == list(items[0])


@pytest.mark.parametrize("listing", LISTS, **ids)
def test_wrong_questions_are_refused_with_the_name_of_what_is_wrong(ours: Client, listing: Any) -> None:
    for name, value in (("nonsense", "1"), ("limit", "501"), ("limit", "0"), ("cursor", "x"), ("sort", "colour")):
        answer = get(ours, f"{listing.name}?{name}={value}", 422)
        assert answer["status"] == 422
        assert name in json.dumps(answer["errors"])
    for form in ("csv", "json"):
        assert "nonsense" in json.dumps(get(ours, f"{listing.name}.{form}?nonsense=1", 422)["errors"])


@pytest.mark.parametrize("path", DETAILS)
def test_a_detail_is_not_there_for_who_may_not_see_it(everything: Client, ours: Client, path: str) -> None:
    assert get(ours, path) == get(everything, path)
    stranger = signed_in("eve", {OTHER: Role.ADMIN})
    nobody = signed_in("nobody", {})
    for who in (stranger, nobody):
        refused = get(who, path, 404)
        assert refused["status"] == 404
        assert "only in testbed" not in json.dumps(refused)
    assert Client().get(f"/api/v1/{path}").status_code == 401


@pytest.mark.parametrize("name", NUMBERED)
def test_numbered_details(everything: Client, ours: Client, name: str) -> None:
    key = "seq" if name == "events" else "id"
    theirs, mine = (
        next(line[key] for line in get(everything, name)["items"] if line["namespace"] == namespace)
        for namespace in (OTHER, "testbed")
    )
    assert get(ours, f"{name}/{mine}")[key] == mine
    assert get(ours, f"{name}/{theirs}", 404)["status"] == 404
    assert get(ours, f"{name}/{2**53}", 404)["status"] == 404
    assert get(ours, f"{name}/0", 422)["status"] == 422


def test_an_unknown_and_an_unseen_thing_are_told_apart_by_nothing(ours: Client) -> None:
    """Neither the answer nor the names that it offers say that something is elsewhere."""
    for known, unknown in ((OTHER_RUN, RUN + 7), (OTHER_EXECUTION, "fast_processing-you-0009")):
        for path in ("explain/{}", "runs/{}/summary", "workflow-executions/{}"):
            if path.startswith("runs") and not isinstance(known, int):
                continue
            seen, not_there = (get(ours, path.format(each), 404)["detail"] for each in (known, unknown))
            assert seen.replace(str(known), "X") == not_there.replace(str(unknown), "X")


def test_a_tag_spares_the_body(ours: Client) -> None:
    first = ours.get(f"/api/v1/runs/{RUN}")
    again = ours.get(f"/api/v1/runs/{RUN}", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = ours.get(f"/api/v1/runs/{RUN}", headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)
    assert "private" in first["Cache-Control"]


def test_cells_that_a_spreadsheet_would_carry_out_are_texts(ours: Client) -> None:
    from swf.store.models import Alarm

    Alarm.objects.filter(namespace="testbed").update(text="=HYPERLINK(1)")
    (row,) = csv.DictReader(io.StringIO(get(ours, "alarms.csv")))
    assert row["text"] == "'=HYPERLINK(1)"


def test_a_replay_goes_on_behind_where_it_stopped(ours: Client) -> None:
    lines = [json.loads(line) for line in get(ours, f"runs/{RUN}/replay").splitlines()]
    assert [line["type"] for line in lines] == ["start_run", "fail"]
    assert [json.loads(line) for line in get(ours, f"runs/{RUN}/replay?from={lines[1]['seq']}").splitlines()] == lines[
        1:
    ]


def test_counters_give_nothing_out(ours: Client) -> None:
    assert get(ours, "counters") == get(ours, "counters") == {"run": 100010, "agent": 1}


HOSTILE = (
    "",
    "\0",
    "%",
    "_%",
    "'; DROP TABLE store_run; --",
    "<script>alert(1)</script>",
    "x" * 5000,
    "9" * 400,
    "-1",
    "1e400",
    "NaN",
    "\u202e\ud7ff",
    "../../etc/passwd",
    "{}",
    "completed,,failed",
    "2026-13-45T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "WyItaWQiLDFd",
    "WyItaWQiLDk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",
)


@pytest.mark.parametrize("listing", LISTS, **ids)
def test_hostile_values_are_answered_or_refused(ours: Client, listing: Any) -> None:
    ours.raise_request_exception = False
    for name in (*listing.filters, "sort", "cursor", "limit", "\0", "<b>"):
        for value in HOSTILE:
            answer = ours.get(f"/api/v1/{listing.name}", {name: value})
            assert answer.status_code in {200, 422}, (name, value, answer.content)


@pytest.mark.parametrize(
    "path", ["runs", "stf-files", "tf-slices", "agents", "datasets", "explain", "events", "workflows"]
)
def test_hostile_names_are_not_found(ours: Client, path: str) -> None:
    ours.raise_request_exception = False
    for value in HOSTILE[1:]:
        answer = ours.get(f"/api/v1/{path}/{quote(value, safe='')}")
        assert answer.status_code in {404, 422}, (value, answer.content)
