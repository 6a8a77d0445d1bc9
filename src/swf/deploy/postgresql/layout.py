"""The folder of one database cluster: how it is made, what serves it, and its database for agents.

The server listens on TCP only. The path of a socket may have at most 107 bytes, and nobody needs one here.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from swf.core.errors import ConfigError, ServiceError, StorageError
from swf.deploy.postgresql.program import ACCOUNT, PostgresProgram, user_arguments

ADMIN: Final = "postgres"
"""The superuser of a cluster that is made here. Agents do not log in as it."""

_INITDB_S: Final = 120.0
_SECRET: Final = "password."
_HASTY: Final[Mapping[str, str]] = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """One cluster and the server for it."""

    folder: Path
    """Holds the cluster and nothing else; it belongs to the user that the server runs as."""
    port: int
    host: str = "127.0.0.1"
    """Where it listens."""
    durable: bool = True
    """Whether a commit waits for the disk. Only tests do without: what they end is processes, never the machine."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings of the server."""

    @property
    def cluster(self) -> Path:
        """The data directory of the server."""
        return self.folder / "cluster"


def lay_out(plan: ClusterPlan, program: PostgresProgram, admin_password: str) -> bool:
    """Make the cluster where there is none yet. Returns whether it was made.

    Every login takes a password. A process that is killed meanwhile leaves no half of a cluster.

    Raises:
        ConfigError: the user that the server runs as cannot come to the folder.
        StorageError: the folder cannot be written.
        ServiceError: `initdb` fails.
    """
    try:
        plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(plan.folder, ACCOUNT, ACCOUNT)
            _see_that_it_can_be_reached(plan.folder)
        if (plan.cluster / "PG_VERSION").exists():
            return False
        begun = plan.folder / "cluster.begun"
        if begun.exists():
            shutil.rmtree(begun)
        for secret in plan.folder.glob(f"{_SECRET}*"):
            secret.unlink()
        _initialise(begun, plan, program, admin_password)
        begun.rename(plan.cluster)
    except OSError as error:
        raise StorageError(
            f"{plan.folder} cannot be written: {error.strerror or error}; check free space and permissions"
        ) from error
    return True


def start_command(plan: ClusterPlan, program: PostgresProgram) -> list[str]:
    """The command that serves the cluster in the foreground until it gets SIGINT. It contains no secret."""
    settings = {
        "listen_addresses": plan.host,
        "port": str(plan.port),
        "unix_socket_directories": "",
        "logging_collector": "off",
        "log_destination": "stderr",
        **({} if plan.durable else _HASTY),
        **plan.settings,
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(program.folder / "postgres"), "-D", str(plan.cluster), *options]


def create_database(plan: ClusterPlan, admin_password: str, *, name: str, user: str, password: str) -> None:
    """Make a database and the user that owns it, where they are not there; give the user this password.

    Raises:
        ServiceError: the server refuses.
    """
    import psycopg
    from psycopg import sql

    admin = {"host": plan.host, "port": plan.port, "dbname": "postgres", "user": ADMIN, "password": admin_password}
    parameters: dict[str, Any] = {**admin, "sslmode": "disable", "connect_timeout": 5}
    try:
        with psycopg.connect(**parameters, autocommit=True) as connection:
            # What the server logs has no password in it.
            hashed = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user]).fetchone()
            role = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(user), sql.Literal(hashed)
            )
            connection.execute(role)
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                create = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(user))
                connection.execute(create)
    except psycopg.Error as error:
        what = str(error).strip().partition("\n")[0]
        raise ServiceError(f"the database {name} at {plan.host}:{plan.port} cannot be made: {what}") from error


def unreachable(folder: Path, user: int, group: int) -> Path | None:
    """The first of the folders on the way to `folder` that this user of the system cannot enter; None where all can
    be entered."""
    for part in reversed([folder, *folder.parents]):
        found = part.stat()
        rights = {found.st_gid == group: stat.S_IXGRP, found.st_uid == user: stat.S_IXUSR}
        if not found.st_mode & rights.get(True, stat.S_IXOTH):
            return part
    return None


def children_of(pid: int) -> list[int]:
    """The processes of a server, beside its first one."""
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in tasks.read_text().split()] if tasks.is_file() else []


def _see_that_it_can_be_reached(folder: Path) -> None:
    import pwd

    account = pwd.getpwnam(ACCOUNT)
    closed = unreachable(folder.absolute(), account.pw_uid, account.pw_gid)
    if closed is not None:
        raise ConfigError(
            f"PostgreSQL refuses to run as root, and the user {ACCOUNT} that it runs as cannot come to {folder}: "
            f"{closed} is closed to it; choose another --data-dir, or let it through: chmod o+x {closed}"
        )


def _initialise(folder: Path, plan: ClusterPlan, program: PostgresProgram, admin_password: str) -> None:
    secret = plan.folder / f"{_SECRET}{secrets.token_hex(4)}"
    secret.touch(mode=0o600)
    try:
        secret.write_text(admin_password, encoding="utf-8")
        if os.geteuid() == 0:
            shutil.chown(secret, ACCOUNT, ACCOUNT)
        command = [str(program.folder / "initdb"), "-D", str(folder), "-U", ADMIN, "-A", "scram-sha-256"]
        command += [f"--pwfile={secret}", "-E", "UTF8", "--locale=C", *([] if plan.durable else ["--no-sync"])]
        done = subprocess.run(
            command, check=False, capture_output=True, cwd=plan.folder, timeout=_INITDB_S, **user_arguments()
        )
    except subprocess.TimeoutExpired:
        raise ServiceError(f"initdb has not made {folder} within {_INITDB_S:g} s; is the disk that slow?") from None
    finally:
        secret.unlink(missing_ok=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise ServiceError(f"initdb cannot make {folder}: {said}")
