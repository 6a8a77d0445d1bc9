"""`testbed run`: take a run, process it, account for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swf.cli.exit_codes import ExitCode
from swf.cli.launching import Order, check_runnable, configured, embedded_platform, reconfigured
from swf.cli.options import (
    DEFAULT_DATA_DIR,
    Boundaries,
    ConfigFile,
    DataDir,
    InputFile,
    JsonFlag,
    KillAt,
    ModeOption,
    PeriodCount,
    Realtime,
    RunNamespace,
    Settings,
    StfCount,
    Verbose,
)
from swf.cli.service_run import say_plan, service_resume, service_run
from swf.cli.serving import MonitorBeside
from swf.cli.session import django_apps, installation_of, workspace_of
from swf.core.errors import ConfigError
from swf.core.modes import Mode

if TYPE_CHECKING:
    from swf.service.faults import BoundaryLog

Resume = Annotated[str | None, typer.Option("--resume", metavar="EXECUTION", help="Go on with a paused execution.")]

Serve = Annotated[
    bool, typer.Option("--serve", help="Serve the monitor beside the run, and on until Ctrl-C. In embedded mode.")
]
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, metavar="N", help="Port of --serve. Default: 8080, or any.")
]


def run(
    workflow: Annotated[
        str | None,
        typer.Argument(metavar="[WORKFLOW]", help="stf_datataking, fast_processing, another name, or a file."),
    ] = None,
    config: ConfigFile = None,
    settings: Settings = None,
    stf_count: StfCount = None,
    physics_period_count: PeriodCount = None,
    input_file: InputFile = None,
    realtime: Realtime = None,
    namespace: RunNamespace = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    resume: Resume = None,
    serve: Serve = False,
    port: Port = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
    kill_at: KillAt = "",
    boundaries: Boundaries = None,
) -> None:
    """Take a run of the simulated detector, process it here, and account for every STF.

    Ctrl-C pauses in good order; `--resume EXECUTION` goes on with nothing lost or repeated. The exit code is 0 where
    the run is closed and complete, 3 where it is closed and something failed, 130 where it was interrupted.
    """
    from swf.service.faults import BoundaryLog

    order = Order(
        workflow=workflow,
        config=config,
        settings=tuple(settings or ()),
        stf_count=stf_count,
        physics_period_count=physics_period_count,
        input_file=input_file,
        realtime=realtime,
        namespace=namespace,
        mode=mode,
        data_dir=data_dir,
    )
    log = BoundaryLog(kill_at)
    beside = MonitorBeside(data_dir, port) if serve else None
    try:
        if resume is None:
            code = _new(order, data_dir, log, beside, as_json=as_json)
        else:
            code = _resumed(resume, order, data_dir, log, beside, as_json=as_json)
        if beside is not None and code is not ExitCode.INTERRUPTED:
            beside.serve_on()
    finally:
        if beside is not None:
            beside.end()
        log.write(boundaries)
    raise typer.Exit(code)


def _new(order: Order, data_dir: Path, log: BoundaryLog, beside: MonitorBeside | None, *, as_json: bool) -> ExitCode:
    from swf.config import TestbedSection
    from swf.service.mode import installation
    from swf.service.opening import open_store

    ordered = configured(order)
    check_runnable(ordered.configuration)
    workspace = workspace_of(data_dir)
    found = installation(ordered.configuration)
    if found.mode is Mode.SERVICE:
        _not_beside(beside)
        return service_run(ordered, found, workspace, data_dir, as_json=as_json)
    open_store(workspace, django_apps())
    if beside is not None:
        beside.start()

    from swf.cli.running import Session
    from swf.service.executions import start_execution

    say_plan(ordered.configuration)
    with embedded_platform(workspace, ordered.configuration.section(TestbedSection).namespace, log) as platform:
        execution = start_execution(ordered.configuration, ordered.definition, platform.user, platform.clock)
        platform.boundary("execution.recorded")
        session = Session(platform, ordered.configuration, execution, data_dir)
        return session.run(as_json=as_json)


def _resumed(
    name: str, order: Order, data_dir: Path, log: BoundaryLog, beside: MonitorBeside | None, *, as_json: bool
) -> ExitCode:
    from swf.service.opening import open_store, require_store

    workspace = workspace_of(data_dir)
    found = installation_of(data_dir, order.mode, order.config)
    if found.mode is Mode.SERVICE:
        _not_beside(beside)
        return service_resume(name, order, found, workspace, data_dir, as_json=as_json)
    require_store(workspace)
    open_store(workspace, django_apps())
    if beside is not None:
        beside.start()

    from swf.cli.running import Session
    from swf.service.executions import reconfigure, resumable

    with embedded_platform(workspace, resumable(name).namespace, log) as platform:
        # Once more, as it is now that no other process can move it.
        execution = resumable(name)
        configuration = reconfigured(order, execution)
        check_runnable(configuration)
        reconfigure(execution, configuration)
        say_plan(configuration)
        session = Session(platform, configuration, execution, data_dir)
        return session.run(as_json=as_json, resumed=True)


def _not_beside(beside: MonitorBeside | None) -> None:
    if beside is not None:
        raise ConfigError(
            "--serve is of the embedded mode; in service mode the monitor is a process of its own: testbed monitor "
            "serve"
        )
