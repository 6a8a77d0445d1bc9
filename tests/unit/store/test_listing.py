"""Lists by key and page: nothing comes twice or is left out, whatever is added meanwhile, and an index finds it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from test_looks import Plans

from slice_rows import make_run, make_slices, make_stf
from swf.core.errors import QuestionError
from swf.core.ids import CountingIds
from swf.core.scene import Scene, only
from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.epic.models import FastMonFile, StfFile, TfSlice
from swf.epic.usecases.runs import RUNS
from swf.epic.usecases.samples import SAMPLES
from swf.epic.usecases.slices import SLICES
from swf.epic.usecases.stfs import STFS
from swf.service.queries.datasets import DATASET_FILES
from swf.service.queries.events import EVENTS, MESSAGES, numbers_around
from swf.service.queries.logs import LOGS
from swf.service.queries.products import PRODUCTS
from swf.store import bulk, events, listing
from swf.store.listing import Listing, Page, Question
from swf.store.models import AppLog, Dataset, DatasetFile, Event, Product, WorkflowDefinition, WorkflowExecution

CLOCK = ManualClock()
NOW = CLOCK.now()
ALL = Scene(now=NOW)
MANY = 3000


def add_logs(first: int, number: int, namespace: str = "testbed", level: str = "INFO") -> None:
    bulk.insert(
        AppLog,
        [
            {
                "app_name": "a",
                "instance_name": "data-agent-me-1",
                "timestamp": NOW + timedelta(seconds=(first + n) // 3),
                "levelname": level,
                "event": str(first + n),
                "namespace": namespace,
                "execution_id": "e",
                "run_number": 1,
                "extra_data": "{}",
            }
            for n in range(number)
        ],
    )


def add_events(number: int, namespace: str = "testbed", kind: str = "slice", sender: str = "me", run: int = 1) -> None:
    before = Event.objects.count()
    events.append(
        [
            {
                "kind": Event.Kind.MESSAGE,
                "type": kind,
                "namespace": namespace,
                "run_number": run,
                "execution_id": "e",
                "subject": f"s{n}",
                "sender": sender,
                "sender_seq": n,
                "destination": "/topic/x",
                "message_id": None,
                "created_at": NOW + timedelta(seconds=before + n),
                "body": "{}",
            }
            for n in range(number)
        ]
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE store_event SET seq = id WHERE seq IS NULL")


def pages(wanted: Listing[Any, Any], scene: Scene = ALL, between: Any = None, **question: Any) -> list[list[Any]]:
    """All pages; `between` is called after each."""
    found: list[list[Any]] = []
    cursor = None
    while True:
        page: Page[Any] = wanted.page(Question(cursor=cursor, **question), scene)
        found.append(list(page.items))
        cursor = page.next
        if cursor is None:
            return found
        if between is not None:
            between()


@pytest.mark.usefixtures("store")
class TestPages:
    @pytest.mark.parametrize("sort", ["-at", "at"])
    @pytest.mark.parametrize("limit", [1, 7, 20, 100])
    def test_every_row_once_in_order_where_many_have_the_same_instant(self, sort: str, limit: int) -> None:
        add_logs(0, 20)
        found = pages(LOGS, limit=limit, sort=sort)
        numbers = [int(line.event) for page in found for line in page]
        assert numbers == sorted(range(20), reverse=sort == "-at")
        assert all(len(page) == limit for page in found[:-1])

    def test_rows_that_are_added_meanwhile_move_nothing(self) -> None:
        add_logs(0, 30)
        added = iter(range(100, 1000, 10))
        found = [
            int(line.event) for page in pages(LOGS, between=lambda: add_logs(next(added), 3), limit=4) for line in page
        ]
        assert found == list(reversed(range(30)))
        onward = [int(line.event) for page in pages(LOGS, limit=4, sort="at") for line in page]
        assert onward[:30] == list(range(30))
        assert len(set(onward)) == len(onward) == AppLog.objects.count()

    def test_a_rare_row_is_found_behind_many_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "WINDOW", 10)
        add_logs(0, 1, level="ERROR")
        add_logs(1, 200)
        first = LOGS.page(Question(filters={"level": "ERROR"}, limit=5), ALL)
        assert first.items == ()
        assert first.next is not None
        found = [line for page in pages(LOGS, filters={"level": "ERROR"}, limit=5) for line in page]
        assert [line.event for line in found] == ["0"]
        assert [line.event for line in LOGS.every(Question(filters={"level": "ERROR"}), ALL)] == ["0"]

    def test_of_namespaces_that_are_mixed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "WINDOW", 10)
        for first in range(0, 90, 30):
            add_logs(first, 20)
            add_logs(first + 20, 10, namespace="other")
        seen = [line for page in pages(LOGS, Scene(now=NOW, namespaces=only("other")), limit=3) for line in page]
        assert {line.namespace for line in seen} == {"other"}
        assert len(seen) == 30
        assert pages(LOGS, Scene(now=NOW, namespaces=frozenset()), limit=3)[-1] == []

    def test_executions_that_began_at_one_instant(self) -> None:
        definition = WorkflowDefinition.objects.create(
            workflow_name="w",
            version="1",
            workflow_type="w",
            definition="",
            digest="0",
            created_by="me",
            created_at=NOW,
        )
        for n in range(7):
            WorkflowExecution.objects.create(
                execution_id=f"w-me-{n}",
                workflow_definition=definition,
                namespace="testbed",
                start_time=NOW,
                executed_by="me",
            )
        found = [line.execution for page in pages(RUNS, limit=2) for line in page]
        assert found == [f"w-me-{n}" for n in reversed(range(7))]


@pytest.mark.usefixtures("store")
class TestQuestions:
    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"filters": {"colour": "red"}}, "colour"),
            ({"filters": {"run": "1e3"}}, "run"),
            ({"filters": {"run": "-1"}}, "run"),
            ({"filters": {"run": str(2**40)}}, "run"),
            ({"filters": {"level": "LOUD"}}, "level"),
            ({"filters": {"since": "yesterday"}}, "since"),
            ({"filters": {"since": "2026-01-01T00:00:00"}}, "since"),
            ({"filters": {"agent": "a\0b"}}, "agent"),
            ({"filters": {"agent": "x" * 251}}, "agent"),
            ({"filters": {"agent": "\ud800"}}, "agent"),
            ({"sort": "colour"}, "sort"),
            ({"limit": 0}, "limit"),
            ({"limit": 501}, "limit"),
            ({"cursor": ""}, "cursor"),
            ({"cursor": "é"}, "cursor"),
            ({"cursor": "WyItYXQiLDEsMl0"}, "cursor"),
            ({"cursor": "W1tbW1tbXV1dXV1d"}, "cursor"),
            ({"cursor": "A" * 5000}, "cursor"),
        ],
    )
    def test_what_is_wrong_is_named(self, wrong: dict[str, Any], field: str) -> None:
        with pytest.raises(QuestionError) as caught:
            LOGS.page(Question(**wrong), ALL)
        assert caught.value.field == field

    def test_a_cursor_of_another_order(self) -> None:
        add_logs(0, 3)
        cursor = LOGS.page(Question(limit=1), ALL).next
        with pytest.raises(QuestionError, match="cursor"):
            LOGS.page(Question(limit=1, sort="at", cursor=cursor), ALL)

    def test_a_plus_that_was_read_as_a_space(self) -> None:
        add_logs(0, 6)
        at = (NOW + timedelta(hours=2, seconds=1)).replace(tzinfo=None).isoformat()
        found = LOGS.page(Question(filters={"since": f"{at} 02:00"}), ALL).items
        assert [line.event for line in found] == ["5", "4", "3"]


@pytest.mark.usefixtures("store")
def test_events_are_found_by_time_in_few_looks() -> None:
    add_events(5000)
    for second in (0, 1, 63, 64, 65, 2500, 4999, 6000):
        low, high = numbers_around(NOW + timedelta(seconds=second))
        numbers = list(Event.objects.order_by("seq").values_list("seq", flat=True))
        assert high - low <= 65
        # Rows 1 .. second are of before.
        assert low <= numbers[0] - 1 + min(second, 5000) <= high
    plans = Plans()
    with plans.noted():
        numbers_around(NOW + timedelta(seconds=2500))
    assert len(plans.texts) <= 4
    asked = {"since": (NOW + timedelta(seconds=1000)).isoformat(), "until": (NOW + timedelta(seconds=1010)).isoformat()}
    found = [line.sender_seq for page in pages(EVENTS, filters=asked, limit=4, sort="seq") for line in page]
    assert found == list(range(1000, 1010))


@pytest.fixture
def full(store: Path) -> None:
    """Two runs, the first one with many rows of each kind."""
    ids = CountingIds()
    old, new = make_run(1, CLOCK), make_run(2, CLOCK)
    definition = WorkflowDefinition.objects.create(
        workflow_name="w", version="1", workflow_type="w", definition="", digest="0", created_by="me", created_at=NOW
    )
    WorkflowExecution.objects.create(
        execution_id="e", workflow_definition=definition, namespace="testbed", start_time=NOW, executed_by="me"
    )
    make_slices(old, 1, CLOCK, ids)
    for table, unique in ((StfFile, "sequence"), (FastMonFile, "sample_index"), (TfSlice, "slice_id")):
        row = table._default_manager.filter(run_number=1).values().get()
        del row["id"]
        row["status"] = WorkState.COMPLETED
        rows = [{**row, unique: 10 + n, "name": f"{row['name']}.{n}", "req_id": ids.new()} for n in range(MANY)]
        bulk.insert(table, rows)
    make_stf(new, 1, CLOCK, ids)
    make_slices(new, 3, CLOCK, ids, sequence=2)
    add_logs(0, MANY)
    add_events(MANY)
    add_events(5, run=2)
    dataset = Dataset.objects.create(scope="s", name="d", namespace="testbed", created_at=NOW)
    file = {"dataset_id": dataset.pk, "size_bytes": 1, "adler32": "", "attached_at": NOW}
    bulk.insert(DatasetFile, [{**file, "name": f"f{n}"} for n in range(MANY)])
    product = {"namespace": "testbed", "kind": "k", "location": "l", "size_bytes": 1, "adler32": "", "sha256": ""}
    product |= {"made_from": "m", "item": "i", "created_at": NOW}
    bulk.insert(Product, [{**product, "name": f"p{n}", "run_number": 1 + n // MANY} for n in range(MANY + 3)])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the server does by itself; nobody does it for SQLite


LOOKS: dict[str, tuple[Listing[Any, Any], dict[str, Any], str]] = {
    "newest STFs": (STFS, {}, "epic_stffile"),
    "STFs of a run": (STFS, {"filters": {"run": 1}}, "epic_stffile"),
    "completed STFs of a run": (STFS, {"filters": {"run": 1, "status": "completed"}}, "epic_stffile"),
    "failed STFs of a run": (STFS, {"filters": {"run": 1, "status": "failed"}}, "epic_stffile"),
    "newest samples": (SAMPLES, {}, "epic_fastmonfile"),
    "samples of a run": (SAMPLES, {"filters": {"run": 1}}, "epic_fastmonfile"),
    "queued samples of a run": (SAMPLES, {"filters": {"run": 1, "status": "queued"}}, "epic_fastmonfile"),
    "newest slices": (SLICES, {}, "epic_tfslice"),
    "slices of a run": (SLICES, {"filters": {"run": 1}}, "epic_tfslice"),
    "first slices of a run": (SLICES, {"filters": {"run": 1}, "sort": "id"}, "epic_tfslice"),
    "failed slices of a run": (SLICES, {"filters": {"run": 1, "status": "failed"}}, "epic_tfslice"),
    "slices of a holder": (SLICES, {"filters": {"run": 1, "holder": "nobody"}}, "epic_tfslice"),
    "a slice": (SLICES, {"filters": {"name": "x"}}, "epic_tfslice"),
    "slices of an STF": (SLICES, {"filters": {"stf": "swf.2.000002.stf"}}, "epic_tfslice"),
    "newest events": (EVENTS, {}, "store_event"),
    "events of a run": (EVENTS, {"filters": {"run": 2}}, "store_event"),
    "events of an execution": (EVENTS, {"filters": {"execution": "e"}}, "store_event"),
    "messages of a type": (MESSAGES, {"filters": {"type": "stf_gen"}}, "store_event"),
    "messages by time": (MESSAGES, {"filters": {"since": "2026-01-01T00:10:00Z"}, "sort": "seq"}, "store_event"),
    "newest log lines": (LOGS, {}, "store_applog"),
    "log lines of a run": (LOGS, {"filters": {"run": 1}}, "store_applog"),
    "log lines by time": (LOGS, {"filters": {"until": "2026-01-01T00:10:00Z"}}, "store_applog"),
    "errors": (LOGS, {"filters": {"level": "ERROR"}}, "store_applog"),
    "newest products": (PRODUCTS, {}, "store_product"),
    "products of a run": (PRODUCTS, {"filters": {"run": 1}}, "store_product"),
    "files of a dataset": (DATASET_FILES, {"filters": {"dataset": "s:d"}}, "store_datasetfile"),
}


@pytest.mark.parametrize("namespaces", [None, frozenset({"testbed"})], ids=["everywhere", "in one namespace"])
@pytest.mark.usefixtures("full")
def test_each_page_is_found_by_an_index(namespaces: frozenset[str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "WINDOW", 100)
    scene = Scene(now=NOW, namespaces=namespaces)
    wrong = []
    for name, (wanted, question, table) in LOOKS.items():
        first = wanted.page(Question(limit=10, **question), scene)
        for cursor in {None, first.next}:
            plans = Plans()
            with plans.noted():
                wanted.page(Question(limit=10, cursor=cursor, **question), scene)
            about = [plan for plan in plans.texts if table in plan]
            assert about, name
            wrong += [f"{name}: {plan}" for plan in about if _looks_at_many(plan, table)]
    assert not wrong, "\n\n".join(wrong)


def _looks_at_many(plan: str, table: str) -> bool:
    """Whether a look goes through the table, or sorts more than a window of it."""
    if connection.vendor == "postgresql":
        sorted_rows = [int(rows) for rows in re.findall(r"(?<!Incremental )Sort  \(cost=\S+ rows=(\d+)", plan)]
        return f"Seq Scan on {table}" in plan or max(sorted_rows, default=0) > 200
    lines = plan.splitlines()
    # Along its key or an index SQLite walks in the order that is wanted, and ends with the page.
    walks = any(re.match(rf"SCAN {table}(?! USING)", line) for line in lines)
    finds = any(re.match(rf"SEARCH {table} USING", line) for line in lines)
    return "USE TEMP B-TREE FOR ORDER BY" in plan and (walks or not finds)
