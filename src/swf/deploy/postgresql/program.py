"""Where the server's programs are on this machine, and as which user of the system they run."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from swf.core.errors import ConfigError
from swf.store.postgresql import OLDEST

PACKAGES: Final = ("postgresql",)
"""Debian packages."""

ACCOUNT: Final = "postgres"
"""The user of the system that Debian's package makes. Where everything runs as root, the server runs as this one: it
refuses to be root."""

_DEBIAN: Final = Path("/usr/lib/postgresql")
_VERSION: Final = re.compile(r"(\d+)(?:\.\d+)*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresProgram:
    """A server that can be started."""

    version: int
    """Its major version. A cluster can be served by the version only that made it."""
    folder: Path
    """Where `initdb` and `postgres` are."""


def find_programs(debian: Path = _DEBIAN) -> list[PostgresProgram]:
    """The versions of Debian's packages that are served, newest first. Where there are none, what is on PATH."""
    found = [
        PostgresProgram(version=int(match[1]), folder=path)
        for path in debian.glob("*/bin")
        if (match := _VERSION.match(path.parent.name)) and _complete(path)
    ]
    if not found and (program := _on_path()):
        found = [program]
    return sorted((each for each in found if each.version >= OLDEST), key=lambda each: -each.version)


def find_program(cluster: Path | None = None) -> PostgresProgram | None:
    """The newest version; for a cluster that is there already, the version that made it. None where it is not
    installed."""
    made_by = _made_by(cluster) if cluster is not None else None
    return next((each for each in find_programs() if made_by in {None, each.version}), None)


def lacks_account() -> bool:
    """Whether this process is root and the user that the server would run as is not there."""
    if os.geteuid() != 0:
        return False
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        return True
    return False


def user_arguments() -> dict[str, Any]:
    """What `subprocess` is told so that the server's programs do not run as root."""
    return {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}


def _complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


def _on_path() -> PostgresProgram | None:
    found = shutil.which("initdb")
    if found is None:
        return None
    folder = Path(found).resolve().parent
    if not _complete(folder):
        return None
    said = subprocess.run([folder / "postgres", "--version"], check=False, capture_output=True, text=True, timeout=10)
    match = re.search(r" (\d+)[.\w]*", said.stdout)
    return PostgresProgram(version=int(match[1]), folder=folder) if match else None


def _made_by(cluster: Path) -> int | None:
    path = cluster / "PG_VERSION"
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; is {cluster} a database cluster?") from error
    if not text.isdigit():
        raise ConfigError(f"{path} says {text[:20]!r}: expected the number of a version of PostgreSQL, such as 15")
    return int(text)
