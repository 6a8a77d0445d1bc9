"""The servers that are started in a data directory from what is installed on this machine: PostgreSQL and ActiveMQ."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from swf.core.errors import ConfigError
from swf.deploy import activemq, postgresql
from swf.messaging.settings import BusSection
from swf.service.control.daemon import ACTIVEMQ, POSTGRESQL
from swf.service.control.programs import Program
from swf.service.workspace import Workspace
from swf.storage.atomic import atomic_file
from swf.store.settings import DatabaseSection

HOST: Final = "127.0.0.1"
DATABASE: Final = "swf"
"""The name of the database, and of the user that it belongs to."""

JAVA: Final = "default-jre-headless"
_STOP_S: Final = 60
_MODULES: Final = ("psycopg", "psycopg_pool", "stompman", "supervisor")


class LocalServers(BaseModel):
    """Ports and passwords of the servers of a data directory; they stay the same from one start to the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_port: int = Field(ge=1, le=65535)
    database_password: str = Field(min_length=1, repr=False)
    database_admin_password: str = Field(min_length=1, repr=False)
    broker_port: int = Field(ge=1, le=65535)
    broker_passwords: Mapping[str, str] = Field(repr=False)

    @classmethod
    def new(cls) -> LocalServers:
        """Free ports, and passwords from the system's randomness."""
        database_port, broker_port = free_ports(2)
        return cls(
            database_port=database_port,
            database_password=secrets.token_urlsafe(24),
            database_admin_password=secrets.token_urlsafe(24),
            broker_port=broker_port,
            broker_passwords=activemq.new_passwords(),
        )

    @classmethod
    def of(cls, workspace: Workspace) -> LocalServers | None:
        """Those of a data directory; None where none were ever started there.

        Raises:
            ConfigError: the file of them cannot be read.
        """
        path = _record(workspace)
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            what = error.strerror if isinstance(error, OSError) else f"{error.error_count()} values are wrong"
            raise ConfigError(
                f"{path} cannot be used: {what}; it has the passwords of the servers of this data directory: restore "
                "it, or choose another --data-dir"
            ) from error

    def keep(self, workspace: Workspace) -> None:
        """Write them down, for their owner only.

        Raises:
            StorageError: that cannot be written.
        """
        with atomic_file(_record(workspace)) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @property
    def bus(self) -> BusSection:
        """How agents reach the broker."""
        return BusSection(
            host=HOST,
            port=self.broker_port,
            user="agent",
            password=SecretStr(self.broker_passwords["agent"]),
            worker_user="worker",
            worker_password=SecretStr(self.broker_passwords["worker"]),
        )

    @property
    def database(self) -> DatabaseSection:
        """How agents reach the database."""
        password = SecretStr(self.database_password)
        return DatabaseSection(host=HOST, port=self.database_port, name=DATABASE, user=DATABASE, password=password)

    def cluster(self, workspace: Workspace) -> postgresql.ClusterPlan:
        """The database's cluster."""
        return postgresql.ClusterPlan(folder=workspace.root / POSTGRESQL, port=self.database_port, host=HOST)

    def broker(self, workspace: Workspace) -> activemq.BrokerPlan:
        """The broker."""
        return activemq.BrokerPlan(
            folder=workspace.root / ACTIVEMQ,
            passwords=self.broker_passwords,
            stomp_port=self.broker_port,
            host=HOST,
            panda_fan_out=True,
        )

    def make_database(self, workspace: Workspace) -> None:
        """Make the database and its user, where they are not there. The server runs.

        Raises:
            ServiceError: it refuses.
        """
        postgresql.create_database(
            self.cluster(workspace),
            self.database_admin_password,
            name=DATABASE,
            user=DATABASE,
            password=self.database_password,
        )

    def lay_out(self, workspace: Workspace) -> None:
        """Write the folders of both servers, as far as they are not there. What is installed has been looked at.

        Raises:
            ConfigError, StorageError, ServiceError: it cannot be done; the message says why.
        """
        cluster = self.cluster(workspace)
        program = postgresql.find_program(cluster.cluster)
        if program is None:
            raise ConfigError(
                f"the database in {cluster.cluster} is of a version of PostgreSQL that is not installed here: install "
                "that version, or choose another --data-dir"
            )
        postgresql.lay_out(cluster, program, self.database_admin_password)
        activemq.lay_out(self.broker(workspace))

    def programs(self, workspace: Workspace) -> tuple[Program, ...]:
        """Both servers, as supervisord runs them.

        Raises:
            ConfigError: one is not installed.
        """
        cluster, broker = self.cluster(workspace), self.broker(workspace)
        database_program, broker_program = postgresql.find_program(cluster.cluster), activemq.find_program()
        if database_program is None or broker_program is None:
            raise ConfigError(missing() or "a server of this data directory is not installed any more")
        return (
            Program(
                name=POSTGRESQL,
                command=postgresql.start_command(cluster, database_program),
                priority=1,
                # At once; connections are ended, transactions rolled back.
                stop_signal="INT",
                stop_wait_s=_STOP_S,
                user=postgresql.ACCOUNT if os.geteuid() == 0 else "",
            ),
            Program(
                name=ACTIVEMQ,
                command=activemq.start_command(broker, broker_program),
                priority=2,
                stop_wait_s=_STOP_S,
            ),
        )


def missing() -> str:
    """What is not installed that servers of this machine need, all of it, and what to do; empty where nothing is."""
    packages: list[str] = []
    if postgresql.find_program() is None or postgresql.lacks_account():
        packages += postgresql.PACKAGES
    if activemq.find_program() is None:
        packages += (*activemq.PACKAGES, JAVA)
    modules = [name for name in _MODULES if find_spec(name) is None]
    parts = [f"servers: apt-get install --no-install-recommends {' '.join(packages)}"] if packages else []
    parts += [f"Python packages ({', '.join(modules)}): pip install 'swf-testbed[services]'"] if modules else []
    return f"not everything is installed that this needs. Install {'; and '.join(parts)}" if parts else ""


def is_free(port: int) -> bool:
    """Whether a server could listen at this port of this machine."""
    with socket.socket() as probe:
        # As servers do, so that connections of the last one that linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(number: int) -> list[int]:
    """Different ports of this machine that nobody listens at."""
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _record(workspace: Workspace) -> Path:
    return workspace.root / "servers.json"
