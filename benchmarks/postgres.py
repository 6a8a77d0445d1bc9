"""A PostgreSQL server of this process's own, on 127.0.0.1, with commits that wait for the disk."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import WrongRunError
from swf.deploy.postgresql import (
    ADMIN,
    ClusterPlan,
    create_database,
    find_program,
    lacks_account,
    lay_out,
    start_command,
    user_arguments,
)

if TYPE_CHECKING:
    from swf.store.settings import DatabaseSection

_PATIENCE_S = 60.0
_NAME = "bench"


def installed() -> bool:
    """Whether a server can be started here."""
    return find_program() is not None and not lacks_account()


@contextmanager
def served(beside: Path) -> Iterator[DatabaseSection]:
    """An empty database of a new server, which is gone afterwards.

    `beside` is a folder that the user can enter that the server runs as.

    Raises:
        WrongRunError: the server does not come up.
    """
    from pydantic import SecretStr

    from swf.store.settings import DatabaseSection

    program = find_program()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="swf-bench-postgres-", dir=beside, ignore_cleanup_errors=True) as own:
        plan = ClusterPlan(folder=Path(own), port=_free_port())
        admin, password = secrets.token_hex(16), secrets.token_hex(16)
        lay_out(plan, program, admin)
        with (plan.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                start_command(plan, program), stdout=log, stderr=log, cwd=plan.folder, **user_arguments()
            )
        try:
            _wait(process, plan, admin)
            create_database(plan, admin, name=_NAME, user=_NAME, password=password)
            yield DatabaseSection(host=plan.host, port=plan.port, name=_NAME, user=_NAME, password=SecretStr(password))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_PATIENCE_S)


def _wait(process: subprocess.Popen[bytes], plan: ClusterPlan, password: str) -> None:
    import psycopg

    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(
                host=plan.host, port=plan.port, dbname="postgres", user=ADMIN, password=password, sslmode="disable"
            ).close()
        except psycopg.OperationalError:
            time.sleep(0.05)  # a server that starts tells nobody when it listens
        else:
            return
    raise WrongRunError(f"PostgreSQL did not come up: {(plan.folder / 'log').read_text(errors='replace')[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
