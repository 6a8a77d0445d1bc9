"""A copy of the store, taken while agents are at work."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection

from swf.core.errors import ConfigError, ServiceError, StorageError

_SECRET: Final = "PGPASSWORD"
_PARAMETERS: Final = ("host", "port", "user", "dbname", "sslmode", "sslrootcert")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy: an SQLite database, or an archive for PostgreSQL's `pg_restore`."""

    path: Path
    bytes: int


def backup(target: Path) -> Backup:
    """Copy the whole store to a new file, as it is at one instant. Only its owner may read the file.

    SQLite is copied by its backup interface, PostgreSQL by `pg_dump` (custom format).

    Raises:
        StorageError: the file is there already, or cannot be written.
        ConfigError: `pg_dump` is not installed.
        ServiceError: the server does not give the copy.
    """
    if target.exists():
        raise StorageError(f"{target} is there already: choose another name for the backup, or move it away")
    with _new_file(target) as path:
        if connection.vendor == "postgresql":
            _dump(path)
        else:
            _copy(path)
    return Backup(path=target, bytes=target.stat().st_size)


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """A file that gets its name when it is complete; there is none where something fails."""
    path = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        path.touch(mode=0o600)
        yield path
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.rename(target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}; choose another place") from error
    finally:
        path.unlink(missing_ok=True)


def _copy(path: Path) -> None:
    name = str(connection.settings_dict["NAME"])
    uri = name if name.startswith("file:") else f"{Path(name).absolute().as_uri()}?mode=ro"
    try:
        # A connection of its own: what this process is about to write is not part of the copy.
        with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise StorageError(f"the store cannot be copied to {path.parent}: {error}; check the free space") from error


def _dump(path: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise ConfigError("pg_dump is not installed: it makes backups of PostgreSQL; apt-get install postgresql-client")
    parameters: dict[str, Any] = connection.get_connection_params()
    where = " ".join(f"{key}={_quoted(parameters[key])}" for key in _PARAMETERS if key in parameters)
    secret = {_SECRET: str(parameters["password"])} if parameters.get("password") else {}
    command = [program, "--format=custom", "--no-password", f"--file={path}", f"--dbname={where}"]
    done = subprocess.run(command, check=False, capture_output=True, env={**os.environ, **secret})
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ServiceError(f"pg_dump made no backup: {said}; see that the server runs and is not newer than pg_dump")


def _quoted(value: object) -> str:
    """A value in libpq's connection strings."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
