"""A real PostgreSQL server on 127.0.0.1, for tests."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from swf.deploy.postgresql import (
    ADMIN,
    ClusterPlan,
    children_of,
    find_program,
    lacks_account,
    lay_out,
    start_command,
    user_arguments,
)
from swf.service.control.local_servers import free_ports

MISSING: Final = "PostgreSQL is not installed: apt-get install postgresql, or make test APT=1"

_PATIENCE_S: Final = 30.0


def installed() -> bool:
    """Whether a server can be started here: its programs, and the user that it runs as."""
    return find_program() is not None and not lacks_account()


class PostgresServer:
    """One server with a data directory of its own. It can be stopped, killed and started again on the same port.

    A commit does not wait for the disk: what tests do to the server ends processes, never the machine.
    """

    user = ADMIN

    def __init__(self, folder: Path) -> None:
        program = find_program()
        if program is None:
            raise RuntimeError(MISSING)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.password = secrets.token_hex(16)
        settings = {"max_connections": "60", "log_min_messages": "fatal"}
        plan = ClusterPlan(folder=folder, port=self.port, durable=False, settings=settings)
        lay_out(plan, program, self.password)
        self._command = start_command(plan, program)

    def parameters(self, name: str = "postgres") -> dict[str, Any]:
        """How to connect to one of its databases, in psycopg's words."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "dbname": name,
            "user": self.user,
            "password": self.password,
            "sslmode": "disable",
        }

    def execute(self, statement: str) -> None:
        """Execute a statement that needs no database of its own, e.g. to make one."""
        self.execute_in("postgres", statement)

    def execute_in(self, name: str, statement: str) -> None:
        """Execute a statement in one of its databases."""
        import psycopg

        with psycopg.connect(**self.parameters(name), autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises:
            RuntimeError: it does not within 30 s.
        """
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self._folder,
                **user_arguments(),
            )
        self._wait()

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it as an operator does; connections are ended, transactions rolled back. SIGQUIT: at once, so that it
        recovers from its log when it starts again."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE_S)
            self._process = None

    def kill(self) -> None:
        """Kill it and its children as a machine does that runs out of memory: no process gets to say a word."""
        if self._process is not None:
            for pid in (self._process.pid, *children_of(self._process.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self._process.wait(_PATIENCE_S)
            self._process = None

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                # A server that was killed can still have a child that is about to notice; then it is tried again.
                self.start()
                return
            try:
                psycopg.connect(**self.parameters(), connect_timeout=2).close()
            except psycopg.OperationalError:
                # A server that starts tells nobody when it listens: ask again shortly.
                time.sleep(0.02)
                continue
            return
        raise RuntimeError(f"the server does not answer; its log is {self._folder / 'log'}")


@contextmanager
def serving() -> Iterator[PostgresServer]:
    """A running server in a folder of its own, which goes with it.

    Raises:
        RuntimeError: it cannot be started.
    """
    # Not pytest's folder: that is closed to other users, and the server runs as another one.
    with tempfile.TemporaryDirectory(prefix="swf-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    (port,) = free_ports(1)
    return port
