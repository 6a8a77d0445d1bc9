"""Servers of this process's own on 127.0.0.1, laid out as `testbed up` does, with commits that wait for the disk."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import WrongRunError
from swf.core.errors import ServiceError
from swf.deploy import activemq, postgresql
from swf.service.control.local_servers import LocalServers, missing
from swf.service.workspace import Workspace

if TYPE_CHECKING:
    from swf.messaging.settings import BusSection
    from swf.store.settings import DatabaseSection

POSTGRESQL, ACTIVEMQ = NAMES = ("PostgreSQL", "ActiveMQ")
"""The servers, as tables call them."""

_PATIENCE_S: Final = 60.0
_NO_SETTINGS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Both servers, as agents reach them, and the numbers of their processes."""

    database: DatabaseSection
    bus: BusSection
    pids: Mapping[str, int]


def database_installed() -> bool:
    """Whether a database can be started here."""
    return postgresql.find_program() is not None and not postgresql.lacks_account()


def lacking() -> str:
    """What is not installed that both servers need, in words; empty where nothing is."""
    return missing()


@contextmanager
def database(beside: Path) -> Iterator[DatabaseSection]:
    """An empty database of a new server, which is gone afterwards.

    `beside` is a folder that the user can enter that the server runs as.

    Raises:
        WrongRunError: the server does not come up.
    """
    with _workspace(beside) as workspace:
        servers = LocalServers.new()
        with _database(servers, workspace, _NO_SETTINGS):
            yield servers.database


@contextmanager
def both(beside: Path, settings: Mapping[str, str] = _NO_SETTINGS) -> Iterator[Served]:
    """A new broker and an empty database of a new server, which are gone afterwards; `settings` are the database's.

    Raises:
        WrongRunError: a server does not come up.
    """
    with _workspace(beside) as workspace:
        servers = LocalServers.new()
        with _database(servers, workspace, settings) as database_pid, _broker(servers, workspace) as broker_pid:
            pids = {POSTGRESQL: database_pid, ACTIVEMQ: broker_pid}
            yield Served(database=servers.database, bus=servers.bus, pids=pids)


@contextmanager
def _workspace(beside: Path) -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory(prefix="swf-bench-servers-", dir=beside, ignore_cleanup_errors=True) as own:
        Path(own).chmod(0o755)
        yield Workspace(root=Path(own))


@contextmanager
def _database(servers: LocalServers, workspace: Workspace, settings: Mapping[str, str]) -> Iterator[int]:
    import psycopg

    program = postgresql.find_program()
    assert program is not None
    plan = replace(servers.cluster(workspace), settings=settings)
    postgresql.lay_out(plan, program, servers.database_admin_password)
    admin = {"host": plan.host, "port": plan.port, "dbname": "postgres", "user": postgresql.ADMIN, "sslmode": "disable"}

    def answers() -> bool:
        try:
            psycopg.connect(**admin, password=servers.database_admin_password).close()
        except psycopg.OperationalError:
            return False
        return True

    command = postgresql.start_command(plan, program)
    with _running(POSTGRESQL, command, plan.folder, signal.SIGINT, answers, **postgresql.user_arguments()) as pid:
        servers.make_database(workspace)
        yield pid


@contextmanager
def _broker(servers: LocalServers, workspace: Workspace) -> Iterator[int]:
    from swf.messaging.stomp import probe

    program = activemq.find_program()
    assert program is not None
    plan = servers.broker(workspace)
    activemq.lay_out(plan)

    def answers() -> bool:
        try:
            probe(servers.bus)
        except ServiceError:
            return False
        return True

    with _running(ACTIVEMQ, activemq.start_command(plan, program), plan.folder, signal.SIGTERM, answers) as pid:
        yield pid


@contextmanager
def _running(
    name: str, command: Sequence[str], folder: Path, stop: signal.Signals, answers: Callable[[], bool], **arguments: Any
) -> Iterator[int]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True, **arguments)
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                said = (folder / "log").read_text(errors="replace")[-500:]
                raise WrongRunError(f"{name} did not come up: {said}")
            time.sleep(0.05)  # a server that starts tells nobody when it listens
        yield process.pid
    finally:
        process.send_signal(stop)
        process.wait(_PATIENCE_S)
