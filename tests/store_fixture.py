"""A store of its own for each test: real SQLite, migrated once and copied; for some tests PostgreSQL as well.

The suites in `ON_BOTH` run on either. `pytest --database postgresql` runs every test that uses the store there and only
there; where it is not installed, these tests are skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from services.postgres import MISSING, PostgresServer, installed, serving
from swf.core.modes import Mode
from swf.core.times import SystemClock
from swf.monitor.settings import django_apps, web_settings
from swf.service.instrument import instruments
from swf.store import database
from swf.web.site import Site

NO_STORE = Path("a-test-that-uses-the-store-takes-the-fixture-store/swf.sqlite3")

QUICK_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"
"""As the real store, except that a commit does not wait for the disk: no unit test pulls the plug."""


ON_BOTH = ("unit/store", "unit/messaging", "contract")
"""Folders of suites that run on both databases."""

TEMPLATE = "swf_template"
"""The database with an empty, migrated store: others are made from it."""
_numbers = count(1)


def configure_once() -> None:
    """Tell Django about the apps, those of the web among them, and of a database that is not there: only `opened` puts
    one in its place."""
    settings = database.sqlite(NO_STORE)
    settings["OPTIONS"]["init_command"] = QUICK_PRAGMAS
    site = Site(clock=SystemClock(), mode=Mode.EMBEDDED, data_dir=NO_STORE.parent)
    more = web_settings(site, secret="of the tests", hosts=["testserver", "127.0.0.1"], instruments=instruments())
    database.configure(settings, django_apps(instruments()), more)


@contextmanager
def using(settings: dict[str, Any]) -> Iterator[None]:
    """Use another database, given as Django's settings, in this process until the end of the block."""
    before = connections.settings["default"]
    _turn_to(connections.configure_settings({"default": settings})["default"])
    try:
        yield
    finally:
        _turn_to(before)


def _turn_to(settings: dict[str, Any]) -> None:
    connections.close_all()
    if hasattr(connections["default"], "close_pool"):
        connections["default"].close_pool()
    del connections["default"]
    connections.settings["default"] = settings


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


def settings_of(server: PostgresServer, name: str, *, port: int | None = None) -> dict[str, Any]:
    """Django's settings of one of a server's databases; `port`, where it is reached by another one than its own."""
    from pydantic import SecretStr

    from swf.store.postgresql import postgresql
    from swf.store.settings import DatabaseSection

    section = DatabaseSection(
        port=port or server.port, name=name, user=server.user, password=SecretStr(server.password)
    )
    return postgresql(section, probe=False)


def databases_of(metafunc: pytest.Metafunc, folder: Path) -> list[Any]:
    """On which databases a test that uses the store runs; `pytest.mark.database` names the only one it can use."""
    postgresql = pytest.param("postgresql", marks=pytest.mark.services)
    asked = metafunc.config.getoption("--database")
    only = metafunc.definition.get_closest_marker("database")
    if only is not None:
        (wanted,) = only.args
        if asked not in {None, wanted}:
            return []
        asked = wanted
    if asked is None:
        both = any(metafunc.definition.path.is_relative_to(folder / each) for each in ON_BOTH)
        return ["sqlite", postgresql] if both else ["sqlite"]
    return [postgresql if asked == "postgresql" else asked]


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """The database of the test's store; tests are given one or both by the hook of `conftest.py`."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store, to be copied."""
    path = tmp_path_factory.mktemp("store") / "template.sqlite3"
    with opened(path):
        database.migrate()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this session, with an empty, migrated store in its template database."""
    if not installed():
        pytest.skip(MISSING)
    with serving() as server:
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        with using(settings_of(server, TEMPLATE)):
            database.migrate()
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[str]:
    """The name of a database with an empty store of this test's own; it goes with the test."""
    name = f"test_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield name
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[Path]:
    """An empty store of this test's own; the value is its file, or with PostgreSQL a path where nothing is."""
    path = tmp_path / "swf.sqlite3"
    if database_kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        with using(settings_of(server, request.getfixturevalue("postgres_database"))):
            yield path
        return
    shutil.copyfile(request.getfixturevalue("store_template"), path)
    with opened(path):
        yield path
