"""`testbed agents`: the agents of a data directory in service mode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swf.cli.agent_process import agents_run
from swf.cli.exit_codes import ExitCode
from swf.cli.options import DEFAULT_DATA_DIR, DataDir, JsonFlag, Verbose
from swf.cli.output import emit, say, show, table
from swf.cli.session import open_store_of, workspace_of
from swf.core.times import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swf.service.control.agent_report import AgentReport

Roles = Annotated[
    list[str] | None, typer.Argument(metavar="[ROLE]...", help="data, fast_processing ...; default: all.")
]


def agents_list(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False) -> None:
    """The agents: their processes, and whether they are ready."""
    from swf.service.control.operate import control_of

    control = control_of(workspace_of(data_dir), SystemClock(), say)
    open_store_of(data_dir)
    show_agents(control.reports(), as_json=as_json)


def agents_start(
    roles: Roles = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False
) -> None:
    """Start agents that do not run, and wait until they are ready."""
    from swf.service.control.operate import control_of

    control = control_of(workspace_of(data_dir), SystemClock(), say)
    names = control.chosen(roles or [])
    open_store_of(data_dir)
    raise typer.Exit(conclude(control.start(names), data_dir, as_json=as_json))


def agents_stop(
    roles: Roles = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False
) -> None:
    """Stop agents: each hands back what it has within 15 s. Servers run on."""
    from swf.service.control.operate import control_of

    control = control_of(workspace_of(data_dir), SystemClock(), say)
    names = control.chosen(roles or [])
    stopped = control.stop(names)
    if as_json:
        emit({"stopped": stopped})
    else:
        show(f"stopped: {', '.join(stopped)}" if stopped else "none of them ran")


def agents_restart(
    roles: Roles = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False
) -> None:
    """Stop agents, start them again, and wait until they are ready."""
    from swf.service.control.operate import control_of

    control = control_of(workspace_of(data_dir), SystemClock(), say)
    names = control.chosen(roles or [])
    control.stop(names)
    open_store_of(data_dir)
    raise typer.Exit(conclude(control.start(names), data_dir, as_json=as_json))


def stop_agents(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: JsonFlag = False, verbose: Verbose = False) -> None:
    """Stop all agents, as `testbed agents stop` does."""
    agents_stop(data_dir=data_dir, as_json=as_json)


def conclude(reports: Sequence[AgentReport], data_dir: Path, *, as_json: bool, **others: Any) -> ExitCode:
    """Show how agents are that were waited for, and why some are not ready; the exit code that says it."""
    from swf.service.control.agent_report import told_why

    show_agents(reports, as_json=as_json, **others)
    late = [report for report in reports if not report.ready]
    for report in late:
        say(told_why(report, workspace_of(data_dir).root))
    return ExitCode.FAILED if late else ExitCode.DONE


def show_agents(reports: Sequence[AgentReport], *, as_json: bool, **others: Any) -> None:
    """Write agents as a table, or as JSON with what else there is to say."""
    if as_json:
        emit({**others, "agents": [_as_json(report) for report in reports]})
        return
    now = SystemClock().now()
    made = table("agent", "process", "pid", "up", "ready", "heartbeat", "name")
    for report in reports:
        age = f"{(now - report.heartbeat).total_seconds():.0f} s ago" if report.heartbeat else "-"
        made.add_row(
            report.program,
            report.state.lower(),
            str(report.pid or "-"),
            _duration(report.uptime_s),
            "yes" if report.ready else f"no: {report.why}",
            age,
            report.instance or "-",
        )
    show(made)


def _as_json(report: AgentReport) -> dict[str, Any]:
    return {
        "program": report.program,
        "role": report.role,
        "state": report.state.value,
        "pid": report.pid,
        "uptime_s": report.uptime_s,
        "ready": report.ready,
        "why": report.why,
        "instance_name": report.instance,
        "status": report.status,
        "last_heartbeat": report.heartbeat,
    }


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def application() -> typer.Typer:
    """`testbed agents`."""
    app = typer.Typer(no_args_is_help=True, help="The agents of a data directory in service mode.")

    @app.callback()
    def noun() -> None:
        """The agents of a data directory in service mode."""

    app.command("run")(agents_run)
    app.command("list")(agents_list)
    app.command("start")(agents_start)
    app.command("stop")(agents_stop)
    app.command("restart")(agents_restart)
    return app
