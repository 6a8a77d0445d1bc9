"""`testbed workflows`: what can be run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swf.cli.options import DEFAULT_DATA_DIR, ConfigFile, DataDir, JsonFlag, NamespaceOption, Settings, Verbose
from swf.cli.output import emit, show, table
from swf.cli.session import registry_of, sources_of


def workflows_list(
    config: ConfigFile = None,
    settings: Settings = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The workflows that can be run: shipped ones, and those of the folders in `workflows.path`."""
    from swf.service.workflows import list_workflows

    found = list_workflows(registry_of(sources_of(config, settings)))
    if as_json:
        emit({"workflows": [workflow.as_json() for workflow in found]})
        return
    made = table("workflow", "kind", "version", "description", "file")
    for workflow in found:
        kind = workflow.kind or "cannot be run"
        made.add_row(workflow.name, kind, workflow.version, workflow.problem or workflow.description, workflow.file)
    show(made)


def workflows_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A workflow, by name or file.")],
    config: ConfigFile = None,
    settings: Settings = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """A workflow: its kind, the agents that it runs, and the text of its definition."""
    from swf.service.workflows import show_workflow

    registry = registry_of(sources_of(config, settings))
    workflow = show_workflow(registry, registry.find(name))
    if as_json:
        emit(workflow.as_json())
        return
    lines = [
        f"{workflow.name} {workflow.version}, kind {workflow.kind}: {workflow.description}",
        f"file: {workflow.file}",
        *(f"agent {a.role}{'' if a.runs else ' (not enabled)'}: {a.description}" for a in workflow.agents),
        "",
        workflow.definition.rstrip(),
    ]
    show(*lines)


def workflows_validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The workflow file.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Check a workflow file alone: every problem is named, with its place and what was expected."""
    from swf.config import Sources

    configuration = registry_of(Sources()).validate(file)
    roles = configuration.roles()
    if as_json:
        emit({"file": str(file), "valid": True, "kind": configuration.kind.name, "agents": list(roles)})
    else:
        show(f"{file}: valid, of kind {configuration.kind.name}, with agents {', '.join(roles)}")


def application() -> typer.Typer:
    """`testbed workflows`."""
    app = typer.Typer(no_args_is_help=True, help="The workflows that can be run.")
    app.command("list")(workflows_list)
    app.command("show")(workflows_show)
    app.command("validate")(workflows_validate)
    return app
