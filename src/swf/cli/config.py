"""`testbed config`: the effective values and where each came from."""

from __future__ import annotations

from typing import Annotated

import typer

from swf.cli.launching import Order, configured
from swf.cli.options import (
    DEFAULT_DATA_DIR,
    ConfigFile,
    DataDir,
    InputFile,
    JsonFlag,
    PeriodCount,
    Realtime,
    RunNamespace,
    Settings,
    StfCount,
    Verbose,
)
from swf.cli.output import emit, show, table


def config_show(
    workflow: Annotated[str | None, typer.Argument(metavar="[WORKFLOW]", help="A workflow, by name or file.")] = None,
    config: ConfigFile = None,
    settings: Settings = None,
    stf_count: StfCount = None,
    physics_period_count: PeriodCount = None,
    input_file: InputFile = None,
    realtime: Realtime = None,
    namespace: RunNamespace = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Each value that a run of a workflow would have, and where it came from; secrets are masked."""
    from swf.config import WorkflowSection

    order = Order(
        workflow=workflow,
        config=config,
        settings=tuple(settings or ()),
        stf_count=stf_count,
        physics_period_count=physics_period_count,
        input_file=input_file,
        realtime=realtime,
        namespace=namespace,
        data_dir=data_dir,
    )
    ordered = configured(order, default="fast_processing")
    configuration = ordered.configuration
    values = [{"key": value.key, "value": value.text, "origin": str(value.origin)} for value in configuration.values()]
    name = configuration.section(WorkflowSection).name
    if as_json:
        emit({"workflow": name, "kind": configuration.kind.name, "file": str(ordered.definition), "values": values})
        return
    made = table("key", "value", "from", title=f"workflow {name}, kind {configuration.kind.name}")
    for value in values:
        made.add_row(*value.values())
    show(made)


def application() -> typer.Typer:
    """`testbed config`."""
    app = typer.Typer(no_args_is_help=True, help="The configuration.")

    @app.callback()
    def noun() -> None:
        """The configuration."""

    app.command("show")(config_show)
    return app
