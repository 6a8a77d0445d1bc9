"""`testbed db`: upgrading, copying and pruning the store of a data directory."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from django.core.management import call_command
from django.db import connections
from shell import Testbed

from swf.core.times import SystemClock
from swf.service.workspace import Workspace
from swf.store.models import Event, Run


def test_old_tables_are_brought_up_to_date_once(testbed: Testbed, data_dir: Path) -> None:
    call_command("migrate", "store", "0003", verbosity=0)
    connections.close_all()
    made = testbed("db", "upgrade", "--data-dir", data_dir)
    assert made.code == 0
    assert "made store.0004_agent_last_turn" in made.out
    again = testbed("db", "upgrade", "--data-dir", data_dir, "--json")
    assert again.json == {"changes": []}


def test_tables_are_not_changed_under_a_process_at_work(testbed: Testbed, data_dir: Path) -> None:
    with Workspace(root=data_dir).locked():
        ended = testbed("db", "upgrade", "--data-dir", data_dir)
    assert ended.code == 5
    assert f"is in use by process {os.getpid()}" in ended.err


def test_a_copy_is_a_store_of_its_own(testbed: Testbed, data_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    ended = testbed("db", "backup", copy, "--data-dir", data_dir, "--json")
    assert ended.json == {"path": str(copy), "bytes": copy.stat().st_size}
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    refused = testbed("db", "backup", copy, "--data-dir", data_dir)
    assert (refused.code, "is there already" in refused.err) == (1, True)


def test_what_is_old_goes_and_a_dry_run_only_counts(testbed: Testbed, data_dir: Path) -> None:
    now = SystemClock().now()
    Run.objects.create(run_number=7, namespace="testbed", start_time=now, closed_at=now)
    Event.objects.create(
        kind="transition", type="x", namespace="testbed", run_number=7, sender="a", created_at=now, body="{}"
    )
    arguments = ("db", "prune", "--older-than", "0s", "--data-dir", data_dir)
    counted = testbed(*arguments, "--dry-run")
    assert "1 event, 0 inbox entries, 0 log lines would go; of 1 run" in counted.out
    assert testbed(*arguments, "--namespace", "other", "--json").json["events"] == 0
    assert testbed(*arguments, "--json").json["events"] == 1
    assert testbed(*arguments, "--json").json["events"] == 0


def test_what_is_no_age_is_refused(testbed: Testbed, data_dir: Path) -> None:
    ended = testbed("db", "prune", "--older-than", "long", "--data-dir", data_dir)
    assert (ended.code, "expected a number and s, m, h or d" in ended.err) == (2, True)


def test_without_a_store_nothing_is_made(testbed: Testbed, tmp_path: Path) -> None:
    for arguments in (("upgrade",), ("backup", "copy"), ("prune", "--older-than", "1d")):
        ended = testbed("db", *arguments, "--data-dir", tmp_path / "none")
        assert (ended.code, "there is no data directory" in ended.err) == (4, True)
    assert not (tmp_path / "none").exists()
