"""Whether a database's tables are what this program expects, and making them so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from store_fixture import opened
from swf.core.errors import DataError, StorageError
from swf.store import schema

UPGRADE = """
import sys
from pathlib import Path
from swf.store import database
database.configure(database.sqlite(Path(sys.argv[1])), ["swf.epic"])
from swf.store import schema
print(len(schema.upgrade()))
"""


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_store_that_is_up_to_date_is_left_alone(store: Path) -> None:
    assert schema.state().current
    schema.check()
    assert schema.upgrade() == ()


def test_tables_of_a_newer_program_are_refused(store: Path) -> None:
    execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0999_of_tomorrow', CURRENT_TIMESTAMP)"
    )
    for look in (schema.check, schema.upgrade):
        with pytest.raises(DataError, match=r"newer version of this program: it has store\.0999_of_tomorrow"):
            look()


def test_changes_of_an_app_that_is_not_installed_are_its_own_affair(store: Path) -> None:
    execute("INSERT INTO django_migrations (app, name, applied) VALUES ('lcls', '0001_initial', CURRENT_TIMESTAMP)")
    schema.check()


def test_tables_of_an_older_program_are_said_to_be_so(store: Path) -> None:
    execute("DELETE FROM django_migrations WHERE name = '0003_event_unnumbered'")
    with pytest.raises(DataError, match=r"has not store\.0003_event_unnumbered; upgrade it with: testbed db upgrade"):
        schema.check()


def test_an_upgrade_says_what_it_did(tmp_path: Path) -> None:
    with opened(tmp_path / "new.sqlite3"):
        made = schema.upgrade()
        assert "store.0001_initial" in made
        assert schema.upgrade() == ()


def test_where_a_store_cannot_be_is_said(tmp_path: Path) -> None:
    with opened(tmp_path / "no-folder" / "new.sqlite3"), pytest.raises(StorageError, match="no-folder"):
        schema.upgrade()


def test_of_several_processes_one_makes_the_tables(tmp_path: Path) -> None:
    path = str(tmp_path / "new.sqlite3")
    processes = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, path], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    made = sorted(int(process.communicate(timeout=120)[0]) for process in processes)
    assert made[:2] == [0, 0]
    assert made[2] > 3
