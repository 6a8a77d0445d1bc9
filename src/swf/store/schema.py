"""The tables: which changes of them a database has, and bringing it up to date, by one process only."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader

from swf.core.errors import DataError, ServiceError, StorageError, SwfError

UPGRADE_LOCK: Final = 0x53574601
"""The key of PostgreSQL's advisory lock that a process holds while it changes tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """How a database's tables compare with this program; each change is `app.name`, in order."""

    missing: tuple[str, ...]
    """Changes that this program knows and the database has not."""
    newer: tuple[str, ...]
    """Changes that the database has and this program does not know."""

    @property
    def current(self) -> bool:
        """Whether the tables are what this program expects."""
        return not self.missing and not self.newer


def state() -> SchemaState:
    """How the tables are.

    Raises:
        StorageError, ServiceError: the database cannot be read.
    """
    try:
        loader = MigrationLoader(connection)
    except DatabaseError as error:
        raise _unusable(error, "read") from error
    known, applied = loader.disk_migrations, loader.applied_migrations
    ours = {app for app, _ in known}
    plan = [key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf)]
    missing = dict.fromkeys(key for key in plan if key not in applied)
    newer = [key for key in applied if key[0] in ours and key not in known and key not in _replaced(loader)]
    return SchemaState(
        missing=tuple(f"{app}.{name}" for app, name in missing), newer=tuple(f"{app}.{name}" for app, name in newer)
    )


def check() -> None:
    """See to it that the tables are what this program expects; changes nothing.

    Raises:
        DataError: they are of a newer or an older program.
        StorageError, ServiceError: the database cannot be read.
    """
    found = state()
    _refuse_newer(found)
    if found.missing:
        raise DataError(
            f"the database {_name()} is of an older version: it has not {_listed(found.missing)}; "
            "upgrade it with: testbed db upgrade"
        )


def upgrade() -> tuple[str, ...]:
    """Bring the tables up to date. Any number of processes may ask for it at a time: one does it, the others wait.

    Returns:
        the changes that were made here; none where there was nothing to do, or another process did it.

    Raises:
        DataError: the tables are of a newer program.
        StorageError, ServiceError: the database cannot be opened or written.
    """
    found = state()
    _refuse_newer(found)
    if found.current:
        return ()
    try:
        with _alone():
            found = state()
            _refuse_newer(found)
            if found.missing:
                call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise _unusable(error, "written") from error
    return found.missing


@contextmanager
def _alone() -> Iterator[None]:
    """Be the one process that changes tables of this database; wait where another one is. Ends with the process."""
    if connection.vendor == "postgresql":
        with _advisory_lock():
            yield
        return
    path = Path(f"{connection.settings_dict['NAME']}.upgrade")
    try:
        file = path.open("w")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}; check permissions of its folder") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _advisory_lock() -> Iterator[None]:
    with connection.cursor() as cursor:
        # Waiting for another process, and changing large tables, may take longer than statements usually may.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [UPGRADE_LOCK])
    try:
        yield
    finally:
        # A session that has ended holds no lock.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [UPGRADE_LOCK])
            cursor.execute("RESET statement_timeout")
            cursor.execute("RESET lock_timeout")


def _replaced(loader: MigrationLoader) -> set[tuple[str, str]]:
    """Changes that a squashed one stands for: known, though their files may be gone."""
    return {(app, name) for migration in loader.disk_migrations.values() for app, name in migration.replaces}


def _refuse_newer(found: SchemaState) -> None:
    if found.newer:
        raise DataError(
            f"the database {_name()} is of a newer version of this program: it has {_listed(found.newer)}; "
            "install that version, or restore a backup from before its upgrade"
        )


def _unusable(error: DatabaseError, how: str) -> SwfError:
    if connection.vendor == "postgresql":
        what = str(error).strip().partition("\n")[0]
        if isinstance(error, OperationalError):
            return ServiceError(f"the database {_name()} does not answer: {what}; see that its server runs")
        return ServiceError(f"the database {_name()} cannot be {how}: {what}; see what its user may do")
    return StorageError(
        f"the database {_name()} cannot be {how}: {error}; check free space and permissions of its folder"
    )


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _listed(changes: tuple[str, ...]) -> str:
    return ", ".join(changes[:3]) + (f" and {len(changes) - 3} more" if len(changes) > 3 else "")
