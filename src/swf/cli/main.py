"""`testbed`, also called `swf-testbed`: one module per noun, one error boundary."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import swf
from swf.cli import (
    agents,
    config,
    containers,
    db,
    dead_letters,
    doctor,
    init,
    monitor,
    plan,
    run,
    runs,
    services,
    workflows,
)
from swf.cli.boundary import guarded


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"swf-testbed {swf.__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Streaming and prompt data workflows of an electron-ion collider detector, on one platform.

    Exit codes: 0 done and complete, 1 failed, 2 wrong usage or configuration, 3 the run closed but some unit failed,
    expired or is missing, 4 not found, 5 busy, 130 interrupted and can be resumed.
    """


def application() -> typer.Typer:
    """The whole command."""
    app = typer.Typer(
        name="testbed",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    app.command("run")(run.run)
    app.command("plan")(plan.plan)
    app.command("init")(init.init)
    app.command("doctor")(doctor.doctor)
    app.command("start")(containers.start)
    app.command("stop")(containers.stop)
    app.command("status")(containers.status)
    app.command("up")(services.up)
    app.command("down")(services.down)
    app.command("start-local")(services.start_local)
    app.command("stop-local")(services.stop_local)
    app.command("status-local")(services.status_local)
    app.command("stop-agents")(agents.stop_agents)
    app.add_typer(agents.application(), name="agents")
    app.add_typer(workflows.application(), name="workflows")
    app.add_typer(runs.application(), name="runs")
    app.add_typer(dead_letters.application(), name="dead-letters")
    app.add_typer(monitor.application(), name="monitor")
    app.add_typer(config.application(), name="config")
    app.add_typer(db.application(), name="db")
    return app


def main(arguments: list[str] | None = None) -> None:
    """The entry point: run one command and end with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(guarded(lambda: application()(args=given, prog_name="testbed", standalone_mode=False), given))
