"""Servers in containers, and agents beside them: `start`, `stop`, and a look at the containers."""

from __future__ import annotations

from dataclasses import dataclass

from swf.core.errors import SwfError
from swf.core.times import Clock
from swf.deploy.compose import Container, Project, ServiceEnvironment
from swf.messaging.settings import BusSection
from swf.service import containers
from swf.service.control.agent_report import AgentReport
from swf.service.control.daemon import Daemon
from swf.service.control.start import StartedBy, StartOrder, launch, refuse_unless_startable
from swf.service.control.stop import Stopped, stop_all
from swf.service.control.waiting import Tell
from swf.service.workspace import Workspace
from swf.store.settings import DatabaseSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The servers, and how the agents are."""

    bus: BusSection
    database: DatabaseSection
    agents: list[AgentReport]


def start(order: StartOrder, *, clock: Clock, tell: Tell) -> Started:
    """Start PostgreSQL and ActiveMQ in containers, wait until they are healthy, then do what `start_local` does.

    A process does this once: it opens the store.

    Raises:
        ServiceError: docker is not there or no engine answers, a container does not come up, or a server does not
            answer. Containers that run then stay, and a later start goes on.
        ConfigError: `service.env` is not there, or wrong.
        IllegalMoveError: the services of this directory were started by another command.
        BusyError: another command starts or stops here, or a run in embedded mode is under way.
    """
    workspace = order.workspace
    environment = containers.read_environment(workspace)
    project = containers.project(workspace, environment)
    with order.place.locked():
        refuse_unless_startable(order)
        project.check()
        workspace.create()
        containers.lay_out_broker(workspace, environment)
        tell("starting PostgreSQL and ActiveMQ in containers; the first time, their images are fetched")
        project.up()
        bus, database = servers_of(environment)
        agents = launch(order, Daemon(order.place, clock, tell), bus, database, clock=clock, tell=tell)
    return Started(bus=bus, database=database, agents=agents)


def stop(workspace: Workspace, *, clock: Clock, tell: Tell) -> Stopped:
    """Stop the agents, which hand back what they have, then remove the containers. Their data stay.

    Raises:
        IllegalMoveError: the services were started by another command than `start`.
        BusyError: another command starts or stops here.
        ServiceError: something does not end, or no engine answers.
    """
    stopped = stop_all(workspace, StartedBy.START, clock=clock, tell=tell)
    if containers.environment_file(workspace).is_file():
        project = containers.project(workspace, containers.read_environment(workspace))
        project.check()
        tell("stopping the containers; their data stay")
        project.down()
    return stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStatus:
    """The containers of a data directory, or why they cannot be seen."""

    containers: tuple[Container, ...]
    trouble: str

    @property
    def well(self) -> bool:
        """Whether there are some, and all are in order."""
        return bool(self.containers) and all(container.in_order for container in self.containers)


def look(workspace: Workspace) -> ContainerStatus:
    """Look at the containers; nothing is changed."""
    try:
        project: Project = containers.project(workspace, containers.read_environment(workspace))
        project.check()
        return ContainerStatus(containers=tuple(project.containers()), trouble="")
    except SwfError as error:
        return ContainerStatus(containers=(), trouble=str(error))


def servers_of(environment: ServiceEnvironment) -> tuple[BusSection, DatabaseSection]:
    """How agents reach the servers in containers."""
    return BusSection.model_validate(environment.bus()), DatabaseSection.model_validate(environment.database())
