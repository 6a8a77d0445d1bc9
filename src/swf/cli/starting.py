"""What the commands that start services need before they can: the order, from flags, files and variables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from swf.cli.launching import Order, check_runnable, configured
from swf.cli.session import django_apps, registry_of, workspace_of

if TYPE_CHECKING:
    from swf.config import Configuration, Sources
    from swf.service.control.start import StartedBy, StartOrder

_DEFAULT: Final = "fast_processing"
_IN_SERVICE_FILE: Final = ("service", "bus", "database")
"""Sections that agents have from the service file: no variable with a secret is given to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """What is to be started, and the configuration that says so."""

    order: StartOrder
    configuration: Configuration


def start_order(workflow: str | None, config: Path | None, data_dir: Path, by: StartedBy) -> Starting:
    """The order to start the agents of a workflow: of the one that is named, else the one that the agents of this
    directory were started for, else the one of the user's file, else fast_processing.

    The service file of the directory is not looked at for broker and database: they are what the order may change.

    Raises:
        ConfigError, UnknownNameError: the configuration is wrong, or cannot be run.
    """
    from swf.service.control.agents import Crew
    from swf.service.control.start import StartOrder
    from swf.service.service_file import read_service

    workspace = workspace_of(data_dir)
    before = read_service(workspace.service_file)
    if before is not None and workflow is None:
        workflow, config = before.workflow or None, config or before.config
    sources = Order(workflow=workflow, config=config).sources()
    name = workflow or registry_of(sources).default or _DEFAULT
    ordered = configured(Order(workflow=name, config=config))
    check_runnable(ordered.configuration)
    crew = Crew(
        roles=ordered.configuration.roles(),
        workflow=str(ordered.definition) if _is_file(name) else name,
        config=sources.user_file.absolute() if sources.user_file is not None else None,
        environment=_environment(sources, ordered.configuration),
    )
    order = StartOrder(workspace=workspace, by=by, crew=crew, django_apps=tuple(django_apps()))
    return Starting(order=order, configuration=ordered.configuration)


def _is_file(name: str) -> bool:
    return "/" in name or (name.endswith(".toml") and Path(name).is_file())


def _environment(sources: Sources, configuration: Configuration) -> dict[str, str]:
    """The variables that set something for the agents. Paths are absolute: agents have another working folder."""
    given = {}
    for name, key in sources.bindings.items():
        if sources.env.get(name) and key.partition(".")[0] not in _IN_SERVICE_FILE:
            value = configuration.value(key).value if configuration.has(key) else None
            given[name] = _absolute(value) or sources.env[name]
    return given


def _absolute(value: object) -> str:
    """A path, or several, as a variable has them; empty for what is none."""
    paths = value if isinstance(value, tuple) else (value,)
    return os.pathsep.join(map(str, paths)) if all(isinstance(path, Path) for path in paths) else ""
