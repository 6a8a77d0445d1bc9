"""The database: whether it answers, has the right tables, and can be written. Of the models nothing is imported here:
the database is opened only now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import Error, connection, transaction

from swf.core.errors import SwfError
from swf.core.times import Clock
from swf.service.doctor.finding import Finding, failed, ok, warning
from swf.service.doctor.machine import compared
from swf.service.workspace import Workspace
from swf.store import database, schema
from swf.store.postgresql import named, postgresql
from swf.store.settings import DatabaseSection

_PROBE: Final = "doctor-probe"
_FEW: Final = 10
"""Connections that a testbed needs: one per agent, and some for commands."""


def service_findings(section: DatabaseSection, apps: Sequence[str], clock: Clock) -> Iterator[Finding]:
    """What is said of PostgreSQL. Opens it for this process, where it answers."""
    try:
        found = postgresql(section, application="testbed doctor")
    except SwfError as error:
        yield failed("database", str(error))
        return
    database.configure(found, apps)
    try:
        yield ok("database", f"{named(section)}: PostgreSQL {_one('SHOW server_version')}")
        yield from _server(clock)
        yield from _tables("make them: testbed start-local, or testbed db upgrade")
    except Error as error:
        yield failed("database", f"it failed while it was looked at: {_line(error)}", "see its log")


def embedded_findings(workspace: Workspace, apps: Sequence[str]) -> Iterator[Finding]:
    """What is said of the store of a data directory. Opens it for this process, where it is there."""
    if not workspace.database.is_file():
        yield warning("store", "there is none yet", "the first testbed run makes it")
        return
    database.configure(database.sqlite(workspace.database), apps)
    try:
        yield _integrity(workspace)
        yield from _tables("bring them up to date: testbed db upgrade")
    except Error as error:
        yield failed(
            "store",
            f"{workspace.database} cannot be used: {_line(error)}",
            "see free space and permissions of its folder",
        )
    yield _holder(workspace)


def can_be_asked() -> bool:
    """Whether the store is open, and has the tables that the models expect."""
    if not settings.configured:
        return False
    try:
        return schema.state().current
    except SwfError:
        return False


def _server(clock: Clock) -> Iterator[Finding]:
    yield compared(clock.now(), _one("SELECT clock_timestamp()"))
    limit = int(_one("SHOW max_connections")) - int(_one("SHOW superuser_reserved_connections"))
    used = int(_one("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"))
    found = f"{used} of {limit} are used"
    if limit - used < _FEW:
        yield warning("connections", found, "raise max_connections of the server: each agent needs one")
    else:
        yield ok("connections", found)
    hasty = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if _one(f"SHOW {name}") == "off"]
    if hasty:
        found = f"{', '.join(hasty)} off: what was committed can be lost with the machine"
        yield warning("durability", found, "turn it on in postgresql.conf, unless this is a test")
    else:
        yield ok("durability", "a commit waits for the disk")


def _tables(advice: str) -> Iterator[Finding]:
    try:
        state = schema.state()
    except SwfError as error:
        yield failed("tables", str(error))
        return
    if state.newer:
        found = f"they are of a newer program: {', '.join(state.newer)}"
        yield failed("tables", found, "install that version of swf-testbed, or restore a backup")
    elif state.missing:
        yield failed("tables", f"{len(state.missing)} changes are missing: {', '.join(state.missing[:3])} ...", advice)
    else:
        yield ok("tables", "up to date")
        yield _can_be_written()


def _can_be_written() -> Finding:
    """Write a row, and take it back."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO store_counter (name, value) VALUES (%s, 0)", [_PROBE])
            transaction.set_rollback(True)
    except Error as error:
        return failed("writing", f"no row can be written: {_line(error)}", "see what the database's user may do")
    return ok("writing", "a row was written, and taken back")


def _integrity(workspace: Workspace) -> Finding:
    size = workspace.database.stat().st_size
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check(3)")
        problems = [str(row[0]) for row in cursor.fetchall()]
    mode = str(_one("PRAGMA journal_mode"))
    if problems != ["ok"]:
        advice = "keep a copy of it, and restore a backup (testbed db backup makes them), or choose another --data-dir"
        return failed("store", f"{workspace.database} is damaged: {'; '.join(problems)}", advice)
    if mode != "wal":
        return warning(
            "store", f"its journal is {mode}, not wal", "put it on a local disk: others have no shared memory"
        )
    log = workspace.database.with_name(f"{workspace.database.name}-wal")
    log_size = log.stat().st_size if log.exists() else 0
    return ok("store", f"{workspace.database}: sound, {size / 1e6:.1f} MB, and {log_size / 1e6:.1f} MB in its log")


def _holder(workspace: Workspace) -> Finding:
    holder = workspace.holder()
    return ok("process", "no process runs agents here" if holder is None else f"process {holder} runs agents here")


def _one(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


def _line(error: Error) -> str:
    return str(error).strip().partition("\n")[0]
