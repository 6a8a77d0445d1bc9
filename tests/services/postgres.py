"""A real PostgreSQL server on 127.0.0.1, for tests."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

MISSING: Final = "PostgreSQL is not installed: apt-get install postgresql, or make test APT=1"

_DEBIAN: Final = Path("/usr/lib/postgresql")
_PATIENCE_S: Final = 30.0


def programs() -> Path | None:
    """The folder of the newest installed server's programs; None where there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = [path for path in _DEBIAN.glob("*/bin") if (path / "initdb").is_file()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


def installed() -> bool:
    """Whether a server can be started here: its programs, and the user that it runs as."""
    return programs() is not None and (os.geteuid() != 0 or _has_user())


class PostgresServer:
    """One server with a data directory of its own. It can be stopped, killed and started again on the same port.

    A commit does not wait for the disk: what tests do to the server ends processes, never the machine.
    """

    user = "swf"

    def __init__(self, folder: Path) -> None:
        bin_folder = programs()
        if bin_folder is None:
            raise RuntimeError(MISSING)
        self._bin = bin_folder
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.password = secrets.token_hex(16)
        self._initialise()

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
        import psycopg

        with psycopg.connect(**self.parameters(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises:
            RuntimeError: it does not within 30 s.
        """
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 60,
            "log_min_messages": "fatal",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self._data), *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self._folder,
                **_as_its_user(),
            )
        self._wait()

    def stop(self) -> None:
        """Stop it as an operator does; connections are ended, transactions rolled back."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_PATIENCE_S)
            self._process = None

    def kill(self) -> None:
        """Kill it and its children as a machine does that runs out of memory: no process gets to say a word."""
        if self._process is not None:
            for pid in (self._process.pid, *_children(self._process.pid)):
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

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if os.geteuid() == 0:
            for path in (self._folder, secret):
                shutil.chown(path, _USER, _USER)
        command = [str(self._bin / "initdb"), "-D", str(self._data), "-U", self.user, "-A", "scram-sha-256"]
        command += [f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(command, check=False, capture_output=True, cwd=self._folder, **_as_its_user())
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.decode(errors='replace')}")

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_USER: Final = "postgres"
"""The user of the package: the server refuses to run as root."""


def _has_user() -> bool:
    import pwd

    return any(entry.pw_name == _USER for entry in pwd.getpwall())


def _as_its_user() -> dict[str, Any]:
    return {"user": _USER, "group": _USER, "extra_groups": []} if os.geteuid() == 0 else {}


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in tasks.read_text().split()] if tasks.is_file() else []
