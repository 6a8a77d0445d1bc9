"""`testbed db` in service mode: the store is in PostgreSQL."""

from __future__ import annotations

import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.postgres import PostgresServer
from services.testbed import ServiceTestbed

pytestmark = [
    pytest.mark.services,
    pytest.mark.database("postgresql"),
    pytest.mark.skipif(shutil.which("pg_dump") is None, reason="needs pg_dump"),
]


@pytest.fixture
def testbed(postgres: PostgresServer) -> Iterator[ServiceTestbed]:
    """A data directory whose database has no tables yet."""
    name = "for_db_commands"
    postgres.execute(f"CREATE DATABASE {name}")
    variables = {
        "SWF_MODE": "service",
        "SWF_DATABASE_PORT": str(postgres.port),
        "SWF_DATABASE_NAME": name,
        "SWF_DATABASE_USER": postgres.user,
        "SWF_DATABASE_PASSWORD": postgres.password,
    }
    with tempfile.TemporaryDirectory(prefix="swf-db-") as folder:
        yield ServiceTestbed(Path(folder), variables)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_tables_are_made_copied_and_pruned(testbed: ServiceTestbed, tmp_path: Path) -> None:
    refused = testbed("runs", "list")
    assert (refused.code, "testbed db upgrade" in refused.err) == (1, True)
    changes = testbed.must("db", "upgrade", "--json").json["changes"]
    assert changes[0] == "store.0001_initial"
    assert any(change.startswith("epic.") for change in changes)
    assert testbed.must("db", "upgrade", "--json").json["changes"] == []
    copy = tmp_path / "copy"
    made = testbed.must("db", "backup", str(copy), "--json").json
    assert made == {"path": str(copy), "bytes": copy.stat().st_size}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    listed = subprocess.run(["pg_restore", "--list", copy], capture_output=True, text=True, check=True)
    assert "store_event" in listed.stdout
    pruned = testbed.must("db", "prune", "--older-than", "30d", "--json").json
    assert (pruned["dry_run"], pruned["events"]) == (False, 0)
