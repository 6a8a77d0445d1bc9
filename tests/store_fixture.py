"""A store of its own for each test: real SQLite, migrated once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections

from swf.store import database

NO_STORE = Path("a-test-that-uses-the-store-takes-the-fixture-store/swf.sqlite3")

QUICK_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"
"""As the real store, except that a commit does not wait for the disk: no unit test pulls the plug."""


def configure_once() -> None:
    """Tell Django about the apps, and of a database that is not there: only `opened` puts one in its place."""
    settings = database.sqlite(NO_STORE)
    settings["OPTIONS"]["init_command"] = QUICK_PRAGMAS
    database.configure(settings, ["swf.epic"])


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Use the SQLite file `path` as the store of this process until the end of the block."""
    settings = connections["default"].settings_dict
    before = settings["NAME"]
    connections.close_all()
    settings["NAME"] = str(path)
    try:
        yield path
    finally:
        connections.close_all()
        settings["NAME"] = before


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store, to be copied."""
    path = tmp_path_factory.mktemp("store") / "template.sqlite3"
    with opened(path):
        database.migrate()
    return path


@pytest.fixture
def store(store_template: Path, tmp_path: Path) -> Iterator[Path]:
    """An empty store of this test's own; the value is its file."""
    path = tmp_path / "swf.sqlite3"
    shutil.copyfile(store_template, path)
    with opened(path):
        yield path
