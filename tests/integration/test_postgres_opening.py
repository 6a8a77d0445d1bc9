"""Opening a store in PostgreSQL: what is wrong is said in plain words, and one process alone changes the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from pydantic import SecretStr

from services.child import output, start
from services.postgres import PostgresServer, free_port
from store_fixture import settings_of, using
from swf.core.errors import ConfigError, ServiceError
from swf.store import database, postgresql, schema
from swf.store.models import Counter
from swf.store.settings import DatabaseSection

pytestmark = [pytest.mark.services, pytest.mark.database("postgresql")]

UPGRADE = """
from services.child import open_database
open_database()
from swf.store import schema
print(len(schema.upgrade()))
from swf.store.models import Counter
Counter.objects.count()
"""


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """The name of a database without tables."""
    postgres.execute("CREATE DATABASE empty_store")
    yield "empty_store"
    postgres.execute("DROP DATABASE empty_store WITH (FORCE)")


def section(server: PostgresServer, **changes: Any) -> DatabaseSection:
    known = {"port": server.port, "name": "postgres", "user": server.user, "password": SecretStr(server.password)}
    return DatabaseSection(**known | {"connect_timeout_s": 2} | changes)


def test_a_database_that_can_be_used_passes(postgres: PostgresServer) -> None:
    assert postgresql.postgresql(section(postgres))["NAME"] == "postgres"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"password": SecretStr("wrong")}, ConfigError, "refuses the user or the password; set SWF_DATABASE_USER"),
        ({"password": None}, ConfigError, "refuses the user or the password"),
        ({"user": "nobody-known"}, ConfigError, "refuses the user or the password"),
        ({"name": "nothing-there"}, ConfigError, "there is no such database; make it: createdb nothing-there"),
        ({"sslmode": "verify-full"}, ConfigError, "no trusted encryption"),
        ({"port": free_port()}, ServiceError, "does not answer.*Connection refused.*start it"),
        ({"host": "no.such.host.invalid", "sslmode": "disable"}, ServiceError, "does not answer.*resolve"),
    ],
)
def test_what_is_wrong_is_said(
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    changes: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    with pytest.raises(error, match=words) as caught:
        postgresql.postgresql(section(postgres, **changes))
    assert postgres.password not in str(caught.value)
    assert "at 127.0.0.1:" in str(caught.value) or "no.such.host" in str(caught.value)


def test_a_server_that_is_too_old_is_refused(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "OLDEST", 99)
    with pytest.raises(ConfigError, match=r"the server is PostgreSQL \d+; expected 99 or newer"):
        postgresql.postgresql(section(postgres))


def test_threads_share_connections_and_survive_a_restart(postgres: PostgresServer, postgres_database: str) -> None:
    made = postgresql.postgresql(section(postgres, name=postgres_database, pool_size=2), pooled=True)
    with using(made):
        assert Counter.objects.count() == 0
        connection.close()
        postgres.restart()
        assert Counter.objects.count() == 0
        database.recover()


def test_a_new_connection_is_made_after_one_was_lost(postgres: PostgresServer, store: Path) -> None:
    assert Counter.objects.count() == 0
    postgres.restart()
    with pytest.raises(Exception, match=r"server closed|terminat|consuming input"):
        Counter.objects.count()
    database.recover()
    assert Counter.objects.count() == 0


def test_many_processes_start_and_one_makes_the_tables(postgres: PostgresServer, empty: str) -> None:
    processes = [start(UPGRADE, postgres, empty) for _ in range(4)]
    made = sorted(int(output(process)[0]) for process in processes)
    assert made[:3] == [0, 0, 0]
    assert made[3] > 3


def test_a_process_that_dies_while_it_changes_tables_does_not_hold_up_others(
    postgres: PostgresServer, empty: str
) -> None:
    holder = psycopg.connect(**postgres.parameters(empty))
    holder.execute("SELECT pg_advisory_lock(%s)", [schema.UPGRADE_LOCK])
    waiting = start(UPGRADE, postgres, empty)
    while not _waits(postgres, empty):
        assert waiting.poll() is None
    postgres.execute(f"SELECT pg_terminate_backend({holder.info.backend_pid})")
    assert int(output(waiting)[0]) > 3
    holder.close()


def _waits(server: PostgresServer, name: str) -> bool:
    with psycopg.connect(**server.parameters(name)) as look:
        row = look.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
    return row == (1,)


def test_time_limits_are_back_after_tables_were_changed(postgres: PostgresServer, empty: str) -> None:
    with using(settings_of(postgres, empty)):
        schema.upgrade()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
            assert cursor.fetchone() == ("1min", "30s")
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            assert cursor.fetchone() == (0,)


def test_a_database_without_its_server_is_said_to_be_so(postgres: PostgresServer) -> None:
    with using(settings_of(postgres, "nothing-there")), pytest.raises(ServiceError, match="nothing-there"):
        schema.upgrade()
