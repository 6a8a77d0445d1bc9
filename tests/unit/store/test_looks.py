"""What is asked again and again is found by an index that is as small as what is under way, however long the tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from slice_rows import make_run, make_slices, make_stf
from swf.catalog.local import LocalCatalog
from swf.core.ids import CountingIds
from swf.core.scene import Scene
from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.epic.buffer_keeper import BufferKeeper
from swf.epic.daq.exit_buffer import ExitBufferPolicy
from swf.epic.datasets import DatasetKeeper
from swf.epic.models import FastMonFile, StfFile, TfSlice
from swf.epic.names import stf_name
from swf.epic.run_settings import RunBook
from swf.epic.usecases.explain import explain
from swf.epic.usecases.pipelines import pipelines
from swf.store import bulk
from swf.store.models import Run, WorkflowDefinition, WorkflowExecution
from swf.store.work import held_by, overdue, unanswered, waiting

NAMESPACE = "testbed"
DONE = 3000
"""Rows of each table that nothing is to be done with any more."""

Look = Callable[[], object]


class Plans:
    """How the database finds the rows of each statement that reads, told by itself before the statement is executed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        with connection.execute_wrapper(self._explain):
            yield

    def _explain(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT"):
            prefix = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            with connection.cursor() as cursor:
                # The wrapper is not asked about this one: it is not a SELECT.
                cursor.execute(f"{prefix} {sql}", params)
                self.texts.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
        return execute(sql, params, many, context)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def full_store(store: Path, clock: ManualClock) -> CountingIds:
    """A run of which nearly everything is done, and a second one that has just begun."""
    ids = CountingIds()
    old = make_run(1, clock)
    make_slices(old, 1, clock, ids)
    gone = {"attached_at": clock.now(), "removed_at": clock.now()}
    for table, unique in ((StfFile, "sequence"), (FastMonFile, "sample_index"), (TfSlice, "slice_id")):
        row = table._default_manager.filter(run_number=1).values().get()
        del row["id"]
        done = {"status": WorkState.COMPLETED, **(gone if table is StfFile else {})}
        rows = [{**row, **done, unique: 10 + n, "name": f"{row['name']}.{n}", "req_id": ids.new()} for n in range(DONE)]
        bulk.insert(table, rows)
    new = make_run(2, clock)
    make_stf(new, 2, clock, ids, WorkState.QUEUED)
    make_stf(new, 3, clock, ids, WorkState.COMPLETED)
    held = {"status": WorkState.PROCESSING, "lease_holder": "me", "lease_until": clock.now() - timedelta(seconds=1)}
    make_slices(new, 2, clock, ids)
    TfSlice.objects.filter(run_number=2, slice_id=0).update(**held)
    TfSlice.objects.filter(run_number=2, slice_id=1).update(lease_until=held["lease_until"])
    StfFile.objects.filter(pk=make_stf(new, 4, clock, ids).pk).update(**held)
    FastMonFile.objects.filter(run_number=2).update(status=WorkState.QUEUED)
    FastMonFile.objects.filter(run_number=1, sample_index=10).update(**held)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the server does by itself; nobody does it for SQLite
    return ids


def looks(clock: ManualClock) -> dict[str, tuple[Look, int]]:
    """Every look, by the index that it is to use, and how many rows it finds."""
    now = clock.now()
    policy = ExitBufferPolicy(capacity_bytes=10**6, retention=timedelta(days=3))
    buffer = BufferKeeper(Path("/nowhere"), policy, NAMESPACE, clock, runs=(1, 2))
    keeper = DatasetKeeper(LocalCatalog(clock), NAMESPACE, clock, RunBook())
    return {
        "stf_queued": (lambda: waiting(StfFile, NAMESPACE, 16), 1),
        "fastmon_queued": (lambda: waiting(FastMonFile, NAMESPACE, 16, ("stf",)), 1),
        "stf_held": (lambda: held_by(StfFile, NAMESPACE, "me"), 1),
        "fastmon_held": (lambda: held_by(FastMonFile, NAMESPACE, "me"), 1),
        "slice_held": (lambda: overdue(TfSlice, NAMESPACE, now), 1),
        "slice_handed_out": (lambda: unanswered(TfSlice, NAMESPACE, now), 1),
        "stf_buffered": (lambda: [buffer.refusal(1)], 1),
        "stf_to_attach": (lambda: list(keeper.to_attach()), 3),
    }


@pytest.mark.parametrize("index", looks(ManualClock()))
@pytest.mark.parametrize("locked", [False, True], ids=["outside a transaction", "in one"])
def test_a_look_uses_the_index_of_what_is_under_way(
    full_store: CountingIds, clock: ManualClock, index: str, locked: bool
) -> None:
    plans = Plans()
    # The second time a statement is one that the driver knows already.
    for _ in range(2):
        look, number = looks(clock)[index]
        with transaction.atomic() if locked else nullcontext(), plans.noted():
            found = look()
        assert isinstance(found, list)
        assert len(found) == number
    assert len(plans.texts) == 2
    for plan in plans.texts:
        assert index in plan
        for table in ("epic_stffile", "epic_fastmonfile", "epic_tfslice"):
            assert f"Seq Scan on {table}" not in plan
            assert not re.search(rf"SCAN {table}(?! USING (COVERING )?INDEX {index})", plan)


@pytest.mark.database("postgresql")
def test_the_indexes_hold_no_row_of_what_is_done(full_store: CountingIds) -> None:
    assert StfFile.objects.filter(status=WorkState.COMPLETED).count() > DONE
    with connection.cursor() as cursor:
        cursor.execute("REINDEX TABLE epic_stffile")
        cursor.execute(
            "SELECT relname, relpages FROM pg_class WHERE relname IN ('stf_queued', 'stf_held', 'stf_to_attach')"
        )
        pages = dict(cursor.fetchall())
    assert sorted(pages) == ["stf_held", "stf_queued", "stf_to_attach"]
    assert max(pages.values()) <= 2, pages


@pytest.mark.database("sqlite")
def test_what_is_asked_of_one_stf_is_not_looked_for_in_its_whole_run(
    full_store: CountingIds, clock: ManualClock
) -> None:
    plans = Plans()
    with plans.noted():
        explain(stf_name(2, 1), Scene(now=clock.now(), process=None))
    about = [plan for plan in plans.texts if "epic_tfslice" in plan or "epic_fastmonfile" in plan]
    assert len(about) >= 2
    assert not any("run_status" in plan or "SCAN" in plan for plan in about)


def test_runs_in_progress_are_looked_at_by_indexes(full_store: CountingIds, clock: ManualClock) -> None:
    definition = WorkflowDefinition.objects.create(workflow_name="w", version="1", created_at=clock.now())
    for number in (1, 2):
        WorkflowExecution.objects.create(
            execution_id=f"w-me-000{number}",
            workflow_definition=definition,
            namespace=NAMESPACE,
            status=WorkflowExecution.Status.RUNNING,
            start_time=clock.now(),
            run_number=number,
        )
        Run.objects.filter(pk=number).update(execution_id=f"w-me-000{number}")
    plans = Plans()
    with plans.noted():
        found = pipelines(Scene(now=clock.now(), process=1))
    assert {each.run for each in found} == {1, 2}
    about = [plan for plan in plans.texts if re.search("epic_(stffile|fastmonfile|tfslice)|U0", plan)]
    assert len(about) == 3
    for plan in about:
        assert not re.search(r"Seq Scan on epic_(stffile|fastmonfile|tfslice)", plan)
        assert not re.search(r"SCAN (U0|epic_stffile|epic_fastmonfile|epic_tfslice)\b", plan)
