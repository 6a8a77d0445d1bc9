"""`testbed start | stop | status`: PostgreSQL and ActiveMQ in containers, and the agents beside them."""

from __future__ import annotations

import typer

from swf.cli.agents import conclude
from swf.cli.exit_codes import ExitCode
from swf.cli.options import DEFAULT_DATA_DIR, ConfigFile, DataDir, JsonFlag, Verbose
from swf.cli.output import say, show
from swf.cli.services import Workflow, named_servers, say_next, show_status, show_stopped
from swf.cli.session import installation_of, workspace_of
from swf.core.modes import Mode
from swf.core.times import SystemClock


def start(
    workflow: Workflow = None,
    config: ConfigFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Start PostgreSQL and ActiveMQ in containers, and one process per agent. Docker with its compose plugin is needed,
    and what testbed init has made. Without docker: testbed up."""
    from swf.cli.starting import start_order
    from swf.service.control.contained import start as start_all
    from swf.service.control.start import StartedBy

    starting = start_order(workflow, config, data_dir, StartedBy.START)
    started = start_all(starting.order, clock=SystemClock(), tell=say)
    servers = named_servers(started.bus, started.database)
    code = conclude(started.agents, data_dir, as_json=as_json, servers=servers)
    if not as_json:
        say_next(servers, starting.order, data_dir, ready=code is ExitCode.DONE)
    raise typer.Exit(code)


def stop(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False) -> None:
    """Stop what testbed start has started: agents, which hand back what they have, then the containers. Data stay."""
    from swf.service.control.contained import stop as stop_all

    show_stopped(stop_all(workspace_of(data_dir), clock=SystemClock(), tell=say), as_json=as_json)


def status(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False) -> None:
    """Look at containers, database, broker and agents. The exit code is 0 where all are well, else 1."""
    from swf.service import containers
    from swf.service.control.contained import look, servers_of

    workspace = workspace_of(data_dir)
    found = installation_of(data_dir)
    bus, database = found.bus, found.database
    if found.mode is not Mode.SERVICE:  # nothing was started yet: those that would be
        bus, database = servers_of(containers.read_environment(workspace))
    seen = look(workspace)
    if not as_json:
        lines = [f"container {each.service}: {each.status}" for each in seen.containers]
        show(*(lines or [f"containers: {seen.trouble or 'none'}"]))
    code = show_status(
        bus,
        database,
        data_dir,
        as_json=as_json,
        others_well=seen.well,
        containers=[{"service": each.service, "state": each.state, "health": each.health} for each in seen.containers],
        containers_trouble=seen.trouble,
    )
    raise typer.Exit(code)
