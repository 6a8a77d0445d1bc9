"""`testbed agents run`: one agent in this process, until it is asked to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from swf.cli.interrupts import Interrupts
from swf.cli.launching import Order, configured
from swf.cli.options import (
    DEFAULT_DATA_DIR,
    Boundaries,
    ConfigFile,
    DataDir,
    JsonFlag,
    KillAt,
    RunNamespace,
    Settings,
    Verbose,
)
from swf.cli.output import emit, say
from swf.cli.session import django_apps, user_name, workspace_of
from swf.core.errors import ConfigError, ServiceError
from swf.core.modes import Mode

if TYPE_CHECKING:
    from swf.config import Configuration
    from swf.messaging.turn import Identity
    from swf.service.faults import BoundaryLog
    from swf.service.workspace import Workspace
    from swf.store.settings import DatabaseSection

Role = Annotated[str, typer.Argument(metavar="ROLE", help="data, fastmon, fast_processing, worker, watcher or daq.")]
WorkflowOption = Annotated[
    str | None,
    typer.Option("--workflow", metavar="WORKFLOW", help="The workflow whose agent it is, by name or file."),
]
Made = TypeVar("Made")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 2.0


def agents_run(
    role: Role,
    workflow: WorkflowOption = None,
    config: ConfigFile = None,
    settings: Settings = None,
    namespace: RunNamespace = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
    kill_at: KillAt = "",
    boundaries: Boundaries = None,
) -> None:
    """Run one agent here, with the broker and the database of the service mode, until Ctrl-C, SIGTERM or SIGQUIT.

    It waits for services that are not there yet. When it ends it hands back what it has within ten seconds; a second
    signal ends it at once, and then others find what it had.
    """
    from swf.service.faults import BoundaryLog

    order = Order(
        workflow=workflow,
        config=config,
        settings=tuple(settings or ()),
        namespace=namespace,
        data_dir=data_dir,
        mode=Mode.SERVICE,
    )
    configuration = configured(order, default="fast_processing").configuration
    role = _role(configuration, role)
    workspace = workspace_of(data_dir)
    workspace.create()
    log = BoundaryLog(kill_at)
    try:
        returned = _run(role, configuration, workspace, log, verbose=verbose)
    finally:
        log.write(boundaries)
    if as_json:
        emit({"role": role, "ended": True, "handed_back": returned})


def _run(role: str, configuration: Configuration, workspace: Workspace, log: BoundaryLog, *, verbose: bool) -> int:
    """Returns how many slices were handed back at the end."""
    from swf.config import TestbedSection
    from swf.service.mode import installation

    found = installation(configuration)
    namespace = configuration.section(TestbedSection).namespace
    interrupts = Interrupts(second_ends=True)
    with interrupts.caught():
        say(f"{role}: {found.in_words}, namespace {namespace}")
        _open_store(found.database, f"swf {role}", interrupts)
        if interrupts.asked():
            return 0

        from swf.core.times import SystemClock
        from swf.epic.agent_process import EpicAgentProcess, agent_role
        from swf.epic.composition import prefetch
        from swf.service import platform as platforms
        from swf.service.identity import enlist
        from swf.store.shared_clock import DatabaseClock

        clock = DatabaseClock(SystemClock())

        def identified() -> Identity:
            clock.synchronise()
            return enlist(agent_role(role), user_name(), namespace, clock)

        identity = _patiently(identified, interrupts)
        if identity is None:
            return 0
        with platforms.service(
            workspace,
            namespace,
            user_name(),
            app_name=identity.name,
            broker=found.bus.of_role(role),
            prefetch=prefetch(configuration),
            boundary=log,
            echo=say if verbose else lambda line: None,
            clock=clock,
        ) as (platform, bus):
            process = EpicAgentProcess(platform, bus, identity, configuration, role, others={"clock": clock.step})
            say(f"{identity.name}: at work; its log is {workspace.logs / identity.name}.log")
            process.run(interrupts.asked)
            say(f"{identity.name}: {interrupts.name}: ending in good order; once more ends at once")
            returned = process.leave()
    say(f"{identity.name}: ended" + (f"; {returned} slices handed back" if returned else ""))
    return returned


def _role(configuration: Configuration, wanted: str) -> str:
    """The role as the configuration calls it; its other names are accepted, and that of its program."""
    from swf.config import WorkflowSection

    plain = wanted.removesuffix("-agent").replace("-", "_")
    names = {plain, plain.replace("_", "-"), wanted, "daq" if plain == "daq_simulator" else plain}
    role = next((role for role in configuration.kind.agents if names & {role.name, *role.aliases}), None)
    enabled = configuration.roles()
    if role is None or role.name not in enabled:
        why = "does not enable" if role is not None else "has no role"
        raise ConfigError(
            f"the workflow {configuration.section(WorkflowSection).name} {why} {wanted!r}; its agents: "
            f"{', '.join(enabled)}"
        )
    return role.name


def _open_store(section: DatabaseSection, application: str, interrupts: Interrupts) -> None:
    """Open the database, and bring its tables up to date if no other process does; one that does not answer yet is
    waited for."""
    from swf.service.opening import open_service_store
    from swf.store import database

    apps = django_apps()
    _patiently(lambda: open_service_store(section, apps, application=application, any_version=True), interrupts)
    _patiently(database.migrate, interrupts)


def _patiently(act: Callable[[], Made], interrupts: Interrupts) -> Made | None:
    """Do something that needs a service, again and again until it answers; None where a signal came before."""
    from swf.store.database import FAILURES, recover

    pause, told = _FIRST_PAUSE_S, ""
    while not interrupts.asked():
        try:
            return act()
        except (ServiceError, *FAILURES) as error:
            if not isinstance(error, ServiceError):
                recover()
            if str(error) != told:
                told = str(error)
                say(f"waiting: {told}")
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
    return None
