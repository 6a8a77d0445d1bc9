"""`testbed up`: servers of this machine, started for one data directory, and then its agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from swf.core.errors import ConfigError, FatalError, RetriableError, ServiceError
from swf.core.times import Clock
from swf.deploy.postgresql import ADMIN
from swf.messaging.stomp.probe import probe
from swf.service.control.agent_report import AgentReport
from swf.service.control.daemon import ACTIVEMQ, POSTGRESQL, SERVERS, Daemon
from swf.service.control.local_servers import LocalServers, free_ports, is_free, missing
from swf.service.control.log_tail import log_tail
from swf.service.control.programs import log_of
from swf.service.control.start import StartOrder, launch, refuse_unless_startable
from swf.service.control.supervisor import ALIVE, WANTED, Process, ProcessState
from swf.service.control.waiting import Tell, wait_until
from swf.service.service_file import remove_service_file
from swf.service.workspace import Workspace
from swf.store.postgresql import look

SERVER_S: Final = 90.0
"""How long a server may take to answer; on a machine that has nothing else to do it is two seconds."""

_ENDED_TIMES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """What runs."""

    servers: LocalServers
    agents: tuple[AgentReport, ...]
    started: tuple[str, ...]
    """The servers that this command started; none where both ran."""


def up(order: StartOrder, *, clock: Clock, tell: Tell) -> Up:
    """Start PostgreSQL, ActiveMQ and the agents, as far as they do not run.

    A process does this once: it opens the store. What it started it stops again where it fails.

    Raises:
        ConfigError: something is not installed, or the data directory cannot be used by the servers.
        ServiceError: a server does not start; the message has the end of its log.
        IllegalMoveError: the services of this directory were started by another command.
        BusyError: another command starts or stops here, or a run in embedded mode is under way.
    """
    if lacking := missing():
        raise ConfigError(f"{lacking}; or, with docker: testbed start")
    order.workspace.create()
    with order.place.locked():
        refuse_unless_startable(order)
        return _Starter(order, clock, tell).start()


class _Starter:
    def __init__(self, order: StartOrder, clock: Clock, tell: Tell) -> None:
        self._order = order
        self._clock = clock
        self._tell = tell
        self._daemon = Daemon(order.place, clock, tell)
        self._begun: list[str] = []
        self._new_daemon = False

    def start(self) -> Up:
        workspace = self._order.workspace
        was_up = workspace.service_file.exists()
        try:
            servers = self._servers()
            agents = launch(
                self._order,
                self._daemon,
                servers.bus,
                servers.database,
                clock=self._clock,
                tell=self._tell,
                servers=servers.programs(workspace),
            )
        except BaseException:
            self._undo(forget=not was_up)
            raise
        return Up(servers=servers, agents=tuple(agents), started=tuple(self._begun))

    def _servers(self) -> LocalServers:
        """Both servers, answering, with the database."""
        workspace, daemon = self._order.workspace, self._daemon
        running: dict[str, Process] = {}
        if daemon.supervisor.pid() is None:
            # What a killed supervisord left behind holds the ports.
            daemon.end_orphans()
        else:
            running = {each.name: each for each in daemon.supervisor.processes() if each.state in ALIVE}
        servers = _with_free_ports(LocalServers.of(workspace) or LocalServers.new(), frozenset(running), self._tell)
        servers.keep(workspace)
        if not running.keys() >= set(SERVERS):
            servers.lay_out(workspace)
        self._new_daemon = daemon.ensure([*servers.programs(workspace), *self._order.crew.programs(workspace.root)])
        looks: dict[str, Callable[[], object]] = {
            POSTGRESQL: lambda: look(_admin(servers)),
            ACTIVEMQ: lambda: probe(servers.bus),
        }
        for name in SERVERS:
            if name in running:
                self._tell(f"{name}: runs (process {running[name].pid})")
            else:
                self._begun.append(name)
                daemon.supervisor.start(name)
        for name in SERVERS:
            self._await(name, looks[name], workspace)
        servers.make_database(workspace)
        return servers

    def _await(self, name: str, look_at: Callable[[], object], workspace: Workspace) -> None:
        """Wait until a server answers.

        Raises:
            ServiceError: it does not; the message has the end of its log.
        """
        begin = self._clock.monotonic()
        why = ""
        pids: set[int] = set()

        def answers() -> bool:
            nonlocal why
            process = next(each for each in self._daemon.supervisor.processes() if each.name == name)
            if process.pid is not None:
                pids.add(process.pid)
            if process.state is ProcessState.FATAL or len(pids) > _ENDED_TIMES:
                raise _not_started(name, process.trouble or "it ends as soon as it is started", workspace)
            if process.state not in WANTED:
                return False
            try:
                look_at()
            except RetriableError as error:
                why = str(error)
                return False
            except FatalError as error:
                raise _not_started(name, str(error), workspace) from error
            return True

        if not wait_until(answers, SERVER_S, self._clock):
            raise _not_started(name, f"it does not answer within {SERVER_S:g} s: {why}", workspace)
        if name in self._begun:
            self._tell(f"{name}: answers ({self._clock.monotonic() - begin:.1f} s)")

    def _undo(self, *, forget: bool) -> None:
        """Stop what was started by this command."""
        if self._new_daemon:
            self._tell("stopping what was started")
            self._daemon.shut_down()
        elif self._begun:
            self._tell(f"stopping {', '.join(self._begun)}")
            self._daemon.stop(self._begun)
        if forget:
            remove_service_file(self._order.workspace.service_file)


def _with_free_ports(servers: LocalServers, running: frozenset[str], tell: Tell) -> LocalServers:
    """The same servers; one that does not run, and whose port somebody else has by now, gets another port."""
    changes: dict[str, int] = {}
    ports = {POSTGRESQL: "database_port", ACTIVEMQ: "broker_port"}
    for (name, key), free in zip(ports.items(), free_ports(len(ports)), strict=True):
        port = getattr(servers, key)
        if name not in running and not is_free(port):
            tell(f"{name}: somebody else has port {port} now; it gets {free}")
            changes[key] = free
    return servers.model_copy(update=changes)


def _admin(servers: LocalServers) -> dict[str, object]:
    section = servers.database
    return {
        "host": section.host,
        "port": section.port,
        "dbname": "postgres",
        "user": ADMIN,
        "password": servers.database_admin_password,
        "sslmode": "disable",
        "connect_timeout": 3,
    }


def _not_started(name: str, why: str, workspace: Workspace) -> ServiceError:
    log = workspace.root / log_of(name)
    lines = "".join(f"\n    {line}" for line in log_tail(log))
    return ServiceError(f"{name} does not start: {why}; its log is {log}{':' if lines else ', and empty'}{lines}")
