"""The bare baseline of a run: the same rows in the same tables, in six transactions per STF.

One transaction for each step that an STF takes: announced, registered, sampled, cut, worked at, counted. The rows are
those that a real run left, read into memory beforehand. They are written twice: by Django's `bulk_create`, as a bare
prototype would, and as the very same statements by Python's `sqlite3` alone, which tells what the database takes.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.execution import open_folder
from benchmarks.figures import WrongRunError

STEPS = ("announced", "registered", "sampled", "cut", "worked", "counted")
"""The six transactions of an STF."""

_STEP_OF = {
    "stf_gen": "announced",
    "stf_ready": "registered",
    "tf_file_registered": "sampled",
    "slice": "cut",
    "slice_result": "worked",
    "claim": "worked",
    "complete": "counted",
}
"""In which step an event is written, by its type."""

_SEQUENCE = re.compile(r"swf\.\d+\.(\d{6})[._]")

Written = dict[str, list[dict[str, Any]]]
"""What one step of one STF writes: rows per table, each as `{column: value}`."""

Statements = list[tuple[str, Any]]


def replay(*, folder: Path, database: str) -> dict[str, float]:
    """Write the rows of the finished run in `database` again; seconds by Django, and by the statements alone."""
    from django.db import connection

    workspace = open_folder(folder)
    runs, stfs = _load(Path(database))
    bare = folder / "statements.sqlite3"
    connection.close()  # the last connection to leave folds the write-ahead log into the file
    shutil.copy(workspace.database, bare)
    by_django, transactions = _by_django(runs, stfs)
    by_statements = _by_statements(bare, transactions)
    _compare(bare, {"store_event", "store_inboxentry", "store_attempt", "epic_tfslice", "epic_stffile"})
    return {"stfs": len(stfs), "django_s": by_django, "statements_s": by_statements}


def _load(database: Path) -> tuple[Written, list[dict[str, Written]]]:
    """The rows of the run itself, and per STF the rows of each step."""
    from django.db import connections, models

    from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
    from swf.store.database import sqlite
    from swf.store.models import Attempt, Event, InboxEntry, Run

    connections.settings["run"] = {**connections.settings["default"], **sqlite(database)}

    def rows(model: type[models.Model]) -> list[dict[str, Any]]:
        return list(model._default_manager.using("run").order_by("pk").values())

    stfs: dict[int, dict[str, Written]] = defaultdict(lambda: {step: defaultdict(list) for step in STEPS})
    taken_in: dict[Any, list[dict[str, Any]]] = {}
    for event in rows(Event):
        found = _SEQUENCE.match(event["subject"])
        if found is None:
            continue
        step = _STEP_OF[event["type"]]
        stfs[int(found[1])][step]["events"].append({**event, "id": None, "seq": None})
        if event["message_id"] is not None:
            # A message is taken in the step after the one that sends it.
            taken_in[event["message_id"]] = stfs[int(found[1])][STEPS[STEPS.index(step) + 1]]["inbox"]
    for entry in rows(InboxEntry):
        if entry["message_id"] in taken_in:
            taken_in[entry["message_id"]].append({**entry, "id": None})
    for model, step, table in (
        (StfFile, "registered", "stfs"),
        (FastMonFile, "sampled", "samples"),
        (TfSlice, "cut", "slices"),
        (Attempt, "counted", "attempts"),
    ):
        for row in rows(model):
            found = _SEQUENCE.match(row["item" if model is Attempt else "name"])
            assert found is not None
            stfs[int(found[1])][step][table].append(row)
    of_run = {"runs": rows(Run), "states": rows(RunState)}
    connections["run"].close()
    return of_run, [stfs[sequence] for sequence in sorted(stfs)]


def _by_django(runs: Written, stfs: Sequence[Mapping[str, Written]]) -> tuple[float, list[Statements]]:
    from django.db import connection, transaction

    from swf.epic.models import RunState
    from swf.store.models import Run

    transactions: list[Statements] = []

    def noted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("BEGIN"):
            transactions.append([])
        else:
            transactions[-1].append((sql, params))
        return execute(sql, params, many, context)

    began = 0.0
    with connection.execute_wrapper(noted):
        with transaction.atomic():
            Run.objects.bulk_create([Run(**row) for row in runs["runs"]])
            RunState.objects.bulk_create([RunState(**row) for row in runs["states"]])
        began = time.perf_counter()
        for stf in stfs:
            for step in STEPS:
                with transaction.atomic():
                    _write(stf[step], stf, step)
        seconds = time.perf_counter() - began
    return seconds, transactions


def _write(rows: Written, stf: Mapping[str, Written], step: str) -> None:
    """One transaction as a bare prototype would write it; rows are made from values here, as they would be there."""
    from django.db.models import F

    from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
    from swf.store.models import Attempt, Event, InboxEntry, OutboxMessage

    InboxEntry.objects.bulk_create([InboxEntry(**row) for row in rows["inbox"]])
    [registered] = stf["registered"]["stfs"]
    slices = [row["id"] for row in stf["cut"]["slices"]]
    of_run = RunState.objects.filter(pk=registered["run_id"])
    match step:
        case "registered":
            StfFile.objects.bulk_create([StfFile(**row) for row in rows["stfs"]])
            of_run.update(stf_registered=F("stf_registered") + 1)
        case "sampled":
            FastMonFile.objects.bulk_create([FastMonFile(**row) for row in rows["samples"]])
            StfFile.objects.filter(pk=registered["id"]).update(sample_count=1)
        case "cut":
            TfSlice.objects.bulk_create([TfSlice(**{**row, "status": "queued"}) for row in rows["slices"]])
            StfFile.objects.filter(pk=registered["id"]).update(slice_count=len(slices))
            of_run.update(slices_created=F("slices_created") + len(slices))
        case "worked":
            now = registered["updated_at"]
            TfSlice.objects.filter(pk__in=slices).update(status="processing", attempt=F("attempt") + 1, updated_at=now)
            of_run.update(slices_processing=F("slices_processing") + len(slices))
            _take_away(stf["cut"])
        case "counted":
            now = registered["updated_at"]
            TfSlice.objects.filter(pk__in=slices).update(status="completed", completed_at=now, updated_at=now)
            Attempt.objects.bulk_create([Attempt(**row) for row in rows["attempts"]])
            of_run.update(slices_completed=F("slices_completed") + len(slices))
            _take_away(stf["worked"])
    Event.objects.bulk_create([Event(**row) for row in rows["events"]])
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                message_id=row["message_id"],
                namespace=row["namespace"],
                destination=row["destination"],
                msg_type=row["type"],
                run_number=row["run_number"],
                body=row["body"],
            )
            for row in rows["events"]
            if row["message_id"] is not None
        ]
    )


def _take_away(rows: Written) -> None:
    """The messages of a step were in a queue; they are taken."""
    from swf.store.models import OutboxMessage

    sent = [row["message_id"] for row in rows["events"] if row["message_id"] is not None]
    OutboxMessage.objects.filter(message_id__in=sent).delete()


def _by_statements(database: Path, transactions: Sequence[Statements]) -> float:
    from swf.store.database import SQLITE_PRAGMAS

    ready = [[(sql.replace("%s", "?"), params or ()) for sql, params in statements] for statements in transactions]
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in SQLITE_PRAGMAS.split(";"):
        connection.execute(pragma)
    connection.execute("PRAGMA foreign_keys=ON")
    began = time.perf_counter()
    for statements in ready:
        connection.execute("BEGIN IMMEDIATE")
        for sql, params in statements:
            connection.execute(sql, params)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _compare(database: Path, tables: set[str]) -> None:
    """Both ways have written as much."""
    from django.db import connection

    other = sqlite3.connect(database)
    for table in sorted(tables):
        sql = f"SELECT COUNT(*) FROM {table}"
        with connection.cursor() as cursor:
            cursor.execute(sql)
            one = cursor.fetchone()
        if one != other.execute(sql).fetchone():
            raise WrongRunError(f"the two baselines wrote different numbers of rows into {table}")
    other.close()
