"""`testbed run` in service mode: an execution is asked for, and watched until its run is closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from swf.cli.exit_codes import ExitCode
from swf.cli.interrupts import Interrupts
from swf.cli.launching import Order, Ordered, check_runnable, reconfigured
from swf.cli.output import say
from swf.cli.session import cores_here, django_apps, user_name

if TYPE_CHECKING:
    from swf.config import Configuration
    from swf.service.mode import Installation
    from swf.service.workspace import Workspace


def service_run(
    ordered: Ordered, found: Installation, workspace: Workspace, data_dir: Path, *, as_json: bool
) -> ExitCode:
    """Ask for an execution, once every agent that it needs is ready, and watch it."""
    _open(found, workspace)

    from swf.cli.service_running import ServiceSession, require_agents
    from swf.core.times import SystemClock
    from swf.service.executions import Status, start_execution
    from swf.store.shared_clock import DatabaseClock

    clock, user = DatabaseClock(SystemClock()), user_name()
    clock.synchronise()
    say_plan(ordered.configuration)
    interrupts = Interrupts()
    with interrupts.caught():
        require_agents(ordered.configuration, clock, interrupts)
        execution = start_execution(ordered.configuration, ordered.definition, user, clock, Status.REQUESTED)
        session = ServiceSession(workspace, ordered.configuration, execution, user, data_dir, clock)
        return session.run(interrupts, as_json=as_json)


def service_resume(
    name: str, order: Order, found: Installation, workspace: Workspace, data_dir: Path, *, as_json: bool
) -> ExitCode:
    """Ask for an execution to be gone on with, and watch it; one that goes on already is only watched."""
    _open(found, workspace)

    from swf.cli.service_running import ServiceSession, require_agents
    from swf.core.times import SystemClock
    from swf.service.executions import Status, request_again, resumable
    from swf.store.shared_clock import DatabaseClock

    clock = DatabaseClock(SystemClock())
    clock.synchronise()
    execution = resumable(name)
    configuration = reconfigured(order, execution)
    check_runnable(configuration)
    interrupts = Interrupts()
    with interrupts.caught():
        if execution.status in {Status.REQUESTED, Status.RUNNING}:
            say(f"{name} goes on by itself; watching it")
        else:
            require_agents(configuration, clock, interrupts)
            request_again(execution, configuration)
        session = ServiceSession(workspace, configuration, execution, user_name(), data_dir, clock)
        return session.run(interrupts, as_json=as_json)


def say_plan(configuration: Configuration) -> None:
    """Tell what the plan of a workflow says against what there is."""
    from swf.epic.usecases.planning import plan_workflow

    planned = plan_workflow(configuration, cores=cores_here())
    if planned.plan is not None:
        for line in planned.advice:
            say(f"plan: {line}")


def _open(found: Installation, workspace: Workspace) -> None:
    from swf.service.opening import open_service_store

    say(found.in_words)
    workspace.create()
    open_service_store(found.database, django_apps(), application="testbed run")
