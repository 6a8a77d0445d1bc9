"""The servers of a data directory in containers: what is written for them, and the compose project that runs them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from swf.core.errors import ConfigError
from swf.deploy.activemq import BrokerPlan, lay_out
from swf.deploy.compose import Project, ServiceEnvironment
from swf.messaging.settings import STOMP_PORT
from swf.service.workspace import Workspace

DATABASE_PORT: Final = 5432


def environment_file(workspace: Workspace) -> Path:
    """The file with ports, names and secrets."""
    return workspace.root / "service.env"


def broker_folder(workspace: Workspace) -> Path:
    """The folder that the broker's container has its configuration from and its data in."""
    return workspace.root / "containers" / "activemq"


def lay_out_broker(workspace: Workspace, environment: ServiceEnvironment) -> None:
    """Write the broker's configuration and credentials.

    Raises:
        ConfigError: a password cannot be used.
    """
    plan = BrokerPlan(
        folder=broker_folder(workspace),
        passwords=environment.broker_passwords,
        stomp_port=STOMP_PORT,
        # Within its container; the compose file opens the port to this machine only.
        host="0.0.0.0",
        panda_fan_out=True,
    )
    lay_out(plan)


def read_environment(workspace: Workspace) -> ServiceEnvironment:
    """The values of the servers.

    Raises:
        ConfigError: the file is not there or wrong, or others may read it.
    """
    path = environment_file(workspace)
    environment = ServiceEnvironment.read(path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} holds passwords, and others may read it: chmod 600 {path}")
    return environment


def project(workspace: Workspace, environment: ServiceEnvironment) -> Project:
    """The compose project of this data directory."""
    return Project(environment.variables(broker_folder(workspace)))
