"""Copies of the store, and what is removed from it when it is old."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from swf.core.errors import ConfigError, StorageError
from swf.core.ids import CountingIds
from swf.core.times import ManualClock
from swf.store import bulk, events, maintenance
from swf.store.models import AppLog, Counter, Event, InboxEntry, Run
from swf.store.sequencer import Sequencer

CLOCK = ManualClock()
NOW = CLOCK.now()
DAY = timedelta(days=1)
IDS = CountingIds()


def make_run(number: int, closed_days_ago: float | None, namespace: str = "testbed") -> None:
    """A run with two rows in the log, and two messages taken."""
    closed = None if closed_days_ago is None else NOW - DAY * closed_days_ago
    Run.objects.create(run_number=number, namespace=namespace, start_time=NOW, closed_at=closed)
    events.append([event(number, namespace), event(number, namespace)])
    bulk.insert(
        InboxEntry,
        [{"namespace": namespace, "role": "data", "message_id": IDS.new(), "run_number": number} for _ in range(2)],
    )


def event(run_number: int | None, namespace: str = "testbed", days_ago: float = 0) -> dict[str, Any]:
    return {
        "kind": "transition",
        "type": "x",
        "namespace": namespace,
        "run_number": run_number,
        "sender": "a",
        "created_at": NOW - DAY * days_ago,
        "body": "{}",
    }


def log(days_ago: float) -> None:
    AppLog.objects.create(
        app_name="a",
        instance_name="a",
        timestamp=NOW - DAY * days_ago,
        levelname="INFO",
        event="x",
        namespace="testbed",
    )


def left() -> tuple[list[int], list[int]]:
    runs_of_events = Event.objects.order_by("run_number").values_list("run_number", flat=True).distinct()
    runs_of_inbox = InboxEntry.objects.order_by("run_number").values_list("run_number", flat=True).distinct()
    return [n for n in runs_of_events if n is not None], [n for n in runs_of_inbox if n is not None]


def test_only_what_belongs_to_runs_that_were_closed_long_ago_is_removed(store: Path) -> None:
    make_run(1, closed_days_ago=31)
    make_run(2, closed_days_ago=29)
    make_run(3, closed_days_ago=None)
    assert maintenance.prune(NOW, 30 * DAY) == maintenance.Pruned(
        dry_run=False, runs=1, inbox_entries=2, events=2, app_logs=0
    )
    assert left() == ([2, 3], [2, 3])
    assert sorted(Run.objects.values_list("run_number", flat=True)) == [1, 2, 3]
    again = maintenance.prune(NOW, 30 * DAY)
    assert (again.events, again.inbox_entries) == (0, 0)


def test_log_lines_and_events_without_a_run_go_by_their_age(store: Path) -> None:
    for days_ago in (10, 31, 40):
        log(days_ago)
    events.append([event(None, days_ago=31), event(None, days_ago=29)])
    pruned = maintenance.prune(NOW, 30 * DAY)
    assert (pruned.app_logs, pruned.events) == (2, 1)
    assert (AppLog.objects.count(), Event.objects.count()) == (1, 1)


def test_a_dry_run_counts_and_removes_nothing(store: Path) -> None:
    make_run(1, closed_days_ago=2)
    log(2)
    expected = maintenance.Pruned(dry_run=True, runs=1, inbox_entries=2, events=2, app_logs=1)
    assert maintenance.prune(NOW, DAY, dry_run=True) == expected
    assert left() == ([1], [1])
    assert expected.as_json()["events"] == 2


def test_other_namespaces_are_left_alone(store: Path) -> None:
    make_run(1, closed_days_ago=2)
    make_run(2, closed_days_ago=2, namespace="other")
    assert maintenance.prune(NOW, DAY, namespace="other").events == 2
    assert left() == ([1], [1])


def test_many_rows_go_in_several_transactions(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "_BATCH", 3)
    make_run(1, closed_days_ago=2)
    events.append([event(1) for _ in range(8)])
    assert maintenance.prune(NOW, DAY).events == 10
    assert not Event.objects.exists()


def test_a_negative_age_is_refused(store: Path) -> None:
    with pytest.raises(ValueError, match="negative"):
        maintenance.prune(NOW, -DAY)


def test_numbers_go_on_after_the_log_was_pruned(store: Path) -> None:
    make_run(1, closed_days_ago=2)
    Sequencer(CLOCK).drain()
    last = events.latest()
    maintenance.prune(NOW, DAY)
    events.append([event(2)])
    Sequencer(CLOCK).drain()
    assert [row.seq for row in events.after(last)] == [last + 1]


def test_a_backup_holds_what_was_committed(store: Path, tmp_path: Path) -> None:
    Counter.objects.create(name="a", value=7)
    target = tmp_path / "backup"
    with transaction.atomic():
        made = maintenance.backup(target)
        Counter.objects.filter(name="a").update(value=8)
    assert made == maintenance.Backup(path=target, bytes=target.stat().st_size)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == ["backup"]
    if connection.vendor == "postgresql":
        listed = subprocess.run(
            ["pg_restore", "-f", "-", "-t", "store_counter", target], capture_output=True, check=True
        )
        assert b"a\t7" in listed.stdout
    else:
        with sqlite3.connect(target) as copy:
            assert copy.execute("SELECT name, value FROM store_counter").fetchall() == [("a", 7)]
        copy.close()


def test_a_backup_does_not_replace_a_file(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    target.write_text("precious")
    with pytest.raises(StorageError, match="is there already"):
        maintenance.backup(target)
    assert target.read_text() == "precious"


def test_a_backup_that_cannot_be_written_leaves_nothing(store: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no-folder/backup cannot be written: No such file"):
        maintenance.backup(tmp_path / "no-folder" / "backup")


@pytest.mark.database("postgresql")
def test_a_backup_needs_its_program(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="pg_dump is not installed"):
        maintenance.backup(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
