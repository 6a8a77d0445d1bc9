"""Child processes of tests that share one PostgreSQL database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from services.postgres import PostgresServer


def start(script: str, server: PostgresServer, name: str, *arguments: str) -> subprocess.Popen[str]:
    """Run a script, which begins with `open_database()`, in a process of its own; it can read and print lines."""
    where = {"PGPORT": str(server.port), "PGDATABASE": name, "PGUSER": server.user, "PGPASSWORD": server.password}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **where, "PYTHONPATH": str(Path(__file__).parents[1])},
    )


def output(process: subprocess.Popen[str]) -> list[str]:
    """What it prints until it ends, line by line.

    Raises:
        AssertionError: it failed.
    """
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    return text.splitlines()


def open_database() -> None:
    """In the child: use the database that it was started for."""
    from pydantic import SecretStr

    from swf.store import database
    from swf.store.postgresql import postgresql
    from swf.store.settings import DatabaseSection

    env = os.environ
    section = DatabaseSection(
        port=int(env["PGPORT"]), name=env["PGDATABASE"], user=env["PGUSER"], password=SecretStr(env["PGPASSWORD"])
    )
    database.configure(postgresql(section), ["swf.epic"])
