"""`testbed up | down | start-local | stop-local | status-local`: servers and agents of a data directory at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swf.cli.agents import conclude, show_agents
from swf.cli.exit_codes import ExitCode
from swf.cli.options import DEFAULT_DATA_DIR, ConfigFile, DataDir, JsonFlag, Verbose, located
from swf.cli.output import emit, say, show
from swf.cli.session import installation_of, open_store_of, workspace_of
from swf.core.errors import ConfigError
from swf.core.times import SystemClock

if TYPE_CHECKING:
    from swf.messaging.settings import BusSection
    from swf.service.control.start import StartedBy, StartOrder
    from swf.service.control.stop import Stopped
    from swf.store.settings import DatabaseSection

Workflow = Annotated[
    str | None,
    typer.Argument(
        metavar="[WORKFLOW]",
        help="The workflow whose agents are started, by name or file. Default: as last time, then as configured, then "
        "fast_processing.",
    ),
]


def up(
    workflow: Workflow = None,
    config: ConfigFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Start PostgreSQL and ActiveMQ of this machine for this data directory, on free ports, and one process per agent.

    Later commands with this data directory use them. What runs already is left alone.
    """
    from swf.cli.starting import start_order
    from swf.service.control.start import StartedBy
    from swf.service.control.up import up as up_all

    starting = start_order(workflow, config, data_dir, StartedBy.UP)
    with _signals_interrupt():
        made = up_all(starting.order, clock=SystemClock(), tell=say)
    servers = named_servers(made.servers.bus, made.servers.database)
    code = conclude(made.agents, data_dir, as_json=as_json, servers=servers, started=list(made.started))
    if not as_json:
        say_next(servers, starting.order, data_dir, ready=code is ExitCode.DONE)
    raise typer.Exit(code)


def down(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False) -> None:
    """Stop what `testbed up` has started: agents, which hand back what they have, then the servers. Data stays."""
    from swf.service.control.start import StartedBy

    _stop(data_dir, StartedBy.UP, as_json=as_json)


def start_local(
    workflow: Workflow = None,
    config: ConfigFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Start one process per agent, with a broker and a database that are there: those of [bus] and [database] in the
    configuration, or of variables such as ACTIVEMQ_HOST and SWF_DATABASE_URL."""
    from swf.cli.starting import start_order
    from swf.messaging.settings import BusSection
    from swf.service.control.start import StartedBy
    from swf.service.control.start import start_local as start_agents
    from swf.store.settings import DatabaseSection

    starting = start_order(workflow, config, data_dir, StartedBy.START_LOCAL)
    bus = starting.configuration.section(BusSection)
    database = starting.configuration.section(DatabaseSection)
    reports = start_agents(starting.order, bus, database, clock=SystemClock(), tell=say)
    servers = named_servers(bus, database)
    code = conclude(reports, data_dir, as_json=as_json, servers=servers)
    if not as_json:
        say_next(servers, starting.order, data_dir, ready=code is ExitCode.DONE)
    raise typer.Exit(code)


def stop_local(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False) -> None:
    """Stop the agents that `testbed start-local` has started: they hand back what they have. The servers run on."""
    from swf.service.control.start import StartedBy

    _stop(data_dir, StartedBy.START_LOCAL, as_json=as_json)


def status_local(
    config: ConfigFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Look at broker, database and agents. The exit code is 0 where all are well, and 1 where something is not."""
    found = installation_of(data_dir, config=config)
    raise typer.Exit(show_status(found.bus, found.database, data_dir, as_json=as_json))


def show_status(
    bus: BusSection,
    database: DatabaseSection,
    data_dir: Path,
    *,
    as_json: bool,
    others_well: bool = True,
    **others: Any,
) -> ExitCode:
    """Look at both servers and at the agents, and write how they are; with `as_json`, `others` as well."""
    from swf.service.control.status import look_around

    status = look_around(workspace_of(data_dir), bus, database, SystemClock(), say)
    reports = []
    if not status.supervisor_trouble and not status.database_trouble:
        from swf.service.control.operate import control_of

        open_store_of(data_dir)
        reports = control_of(workspace_of(data_dir), SystemClock(), say).reports()
    servers = named_servers(bus, database)
    troubles = {"database": status.database_trouble, "broker": status.broker_trouble}
    troubles["agents"] = status.supervisor_trouble
    well = others_well and not any(troubles.values()) and bool(reports) and all(report.ready for report in reports)
    if as_json:
        show_agents(reports, as_json=True, servers=servers, troubles=troubles, well=well, **others)
    else:
        for name, where in servers.items():
            show(f"{name}: {troubles[name] or f'answers, {where}'}")
        if reports:
            show_agents(reports, as_json=False)
        else:
            show(f"agents: {status.supervisor_trouble or 'their rows are in the database'}")
    return ExitCode.DONE if well else ExitCode.FAILED


def _stop(data_dir: Path, by: StartedBy, *, as_json: bool) -> None:
    from swf.service.control.stop import stop_all

    show_stopped(stop_all(workspace_of(data_dir), by, clock=SystemClock(), tell=say), as_json=as_json)


def show_stopped(stopped: Stopped, *, as_json: bool) -> None:
    """Write what was stopped."""
    if as_json:
        emit({"stopped": list(stopped.programs), "was_in_service": stopped.was_in_service})
    elif stopped.programs:
        show(f"stopped: {', '.join(stopped.programs)}")
    else:
        show("nothing was running" if stopped.was_in_service else "nothing was started here")


def named_servers(bus: BusSection, database: DatabaseSection) -> dict[str, Any]:
    """Both servers in words, without secrets."""
    from swf.store.postgresql import named

    try:
        where = named(database)
    except ConfigError:  # the look at it has said why
        where = "not configured"
    return {"database": where, "broker": f"{bus.host}:{bus.port} as {bus.user or 'nobody'}"}


def say_next(servers: dict[str, Any], order: StartOrder, data_dir: Path, *, ready: bool) -> None:
    """Tell a person where the servers are, and what to do next."""
    say(f"database {servers['database']}, broker {servers['broker']}")
    take, look, end = located(
        [f"testbed run {order.crew.workflow}", "testbed agents list", order.by.reversed_by], data_dir
    )
    first = f"to take a run: {take}" if ready else f"not every agent is ready; they are tried again. To look: {look}"
    say(f"{first}; to end: {end}")


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and a terminal that is closed end a command as Ctrl-C does, which stops what it has started."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
