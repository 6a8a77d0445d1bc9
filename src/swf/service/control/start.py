"""Starting the agents of a data directory with servers that answer: what `start-local`, `start` and `up` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from swf.config import Section
from swf.core.errors import BusyError, ConfigError, FatalError, IllegalMoveError, ServiceError
from swf.core.modes import Mode
from swf.core.times import Clock
from swf.messaging.settings import BusSection
from swf.service.control.agent_report import AgentReport
from swf.service.control.agents import Crew
from swf.service.control.daemon import Daemon
from swf.service.control.place import ControlPlace
from swf.service.control.programs import Program
from swf.service.control.status import look_at_broker, look_at_database
from swf.service.control.supervisor import WANTED
from swf.service.control.waiting import Tell
from swf.service.service_file import read_service, write_service_file
from swf.service.settings import ServiceSection
from swf.service.workspace import Workspace
from swf.store import database
from swf.store.postgresql import postgresql
from swf.store.settings import DatabaseSection


class StartedBy(StrEnum):
    """Which command started the services of a data directory."""

    UP = "up"
    """Servers of this machine, started for this directory."""
    START = "start"
    """Servers in containers."""
    START_LOCAL = "start-local"
    """Servers that were there."""

    @property
    def reversed_by(self) -> str:
        """The command that undoes it."""
        return {"up": "testbed down", "start": "testbed stop", "start-local": "testbed stop-local"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """What is to be started, and where."""

    workspace: Workspace
    by: StartedBy
    crew: Crew
    django_apps: tuple[str, ...]

    @property
    def place(self) -> ControlPlace:
        """Where its supervisord is."""
        return ControlPlace(root=self.workspace.root)


def start_local(
    order: StartOrder, bus: BusSection, section: DatabaseSection, *, clock: Clock, tell: Tell
) -> list[AgentReport]:
    """Start the agents with servers that are there: look at both, bring the tables up to date, write the service file,
    start what does not run yet, and wait until it is ready.

    A process does this once: it opens the store.

    Returns:
        how the agents are; one that is not ready after a minute runs on, and is tried again.

    Raises:
        ConfigError: a setting of a server is wrong, or a package is missing.
        ServiceError: a server or supervisord does not answer.
        IllegalMoveError: the services of this directory were started by another command.
        BusyError: another command starts or stops here, or a run in embedded mode is under way.
    """
    look_at_servers(bus, section)
    order.workspace.create()
    with order.place.locked():
        refuse_unless_startable(order)
        return launch(order, Daemon(order.place, clock, tell), bus, section, clock=clock, tell=tell)


def launch(
    order: StartOrder,
    daemon: Daemon,
    bus: BusSection,
    section: DatabaseSection,
    *,
    clock: Clock,
    tell: Tell,
    servers: Sequence[Program] = (),
) -> list[AgentReport]:
    """As `start_local`, within the lock, and beside the servers that the same supervisord runs. Both servers answer."""
    database.configure(postgresql(section, application="testbed", probe=False), order.django_apps)
    database.migrate()
    tell("the tables are up to date")
    changed = _write(order, bus, section)
    agents = order.crew.programs(order.workspace.root)
    names = [program.name for program in agents]
    daemon.ensure([*servers, *agents])
    supervisor = daemon.supervisor
    running = [each.name for each in supervisor.processes() if each.name in names and each.state in WANTED]
    if changed and running:
        tell("the servers are others than before: agents are restarted")
        daemon.stop(running)
        running = []
    for name in names:
        supervisor.start(name)
    if len(running) < len(names):
        tell(f"starting {', '.join(name for name in names if name not in running)}")

    from swf.service.control.readiness import wait_ready  # models, which can be imported only now

    return wait_ready(supervisor, names, clock, tell)


def look_at_servers(bus: BusSection, section: DatabaseSection) -> None:
    """See to it that both servers let us in.

    Raises:
        ConfigError: a setting is wrong.
        ServiceError: a server does not answer.
        The message says it of both.
    """
    looks = (look_at_database(section), look_at_broker(bus))
    troubles = [trouble for trouble in looks if trouble is not None]
    if troubles:
        text = "; and ".join(str(trouble) for trouble in troubles)
        raise ConfigError(text) if any(isinstance(each, FatalError) for each in troubles) else ServiceError(text)


def refuse_unless_startable(order: StartOrder) -> None:
    """See to it that this command may start services here.

    Raises:
        IllegalMoveError: another command has started them.
        BusyError: a run in embedded mode is under way.
    """
    written = started_by(order.workspace, order.by)
    if written is None and (holder := order.workspace.holder()) is not None:
        raise BusyError(
            f"{order.workspace.root} is in use by process {holder}, which runs in embedded mode; wait for it, stop it, "
            "or choose another --data-dir"
        )


def started_by(workspace: Workspace, by: StartedBy) -> ServiceSection | None:
    """What the service file says, where this command wrote it; None where there is none.

    Raises:
        IllegalMoveError: it was written by another command, or by hand.
        ConfigError: it cannot be read.
    """
    written = read_service(workspace.service_file)
    if written is None or written.by == by:
        return written
    if written.by in set(StartedBy):
        raise IllegalMoveError(
            f"the services of {workspace.root} were started with `testbed {written.by}`; end them first with: "
            f"{StartedBy(written.by).reversed_by}"
        )
    raise IllegalMoveError(
        f"{workspace.service_file} was not written by a command that starts services; say what it says in "
        "testbed.toml, and remove it"
    )


def _write(order: StartOrder, bus: BusSection, section: DatabaseSection) -> bool:
    """Write the service file. Returns whether it was another one before, or none."""
    path = order.workspace.service_file
    before = path.read_bytes() if path.is_file() else b""
    service = {
        "mode": Mode.SERVICE,
        "by": order.by.value,
        "workflow": order.crew.workflow,
        "config": order.crew.config,
    }
    # Every value, also those that are defaults: a variable that somebody sets later must not change half of them.
    sections: dict[type[Section], Mapping[str, object]] = {
        ServiceSection: service,
        BusSection: dict(bus),
        DatabaseSection: dict(section),
    }
    write_service_file(path, sections)
    return path.read_bytes() != before
