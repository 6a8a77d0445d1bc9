"""What commands need before they can call a use case: who asks, the configuration's sources, the store."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swf.cli.options import DEFAULT_DATA_DIR
from swf.cli.output import say
from swf.core.modes import Mode
from swf.core.names import as_user

if TYPE_CHECKING:
    from swf.config import Override, Sources, WorkflowRegistry
    from swf.core.scene import Scene
    from swf.service.instrument import Instrument
    from swf.service.mode import Installation
    from swf.service.workspace import Workspace


def user_name() -> str:
    """Who runs this program, in the letters that names of executions and agents may have."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # nobody has an entry in this container's list of users
        name = ""
    return as_user(name)


def workspace_of(data_dir: Path) -> Workspace:
    """The data directory; the default one lies in the folder SWF_HOME where that is set."""
    from swf.service.workspace import Workspace

    home = os.environ.get("SWF_HOME", "")
    root = Path(home) / data_dir if home and data_dir == DEFAULT_DATA_DIR else data_dir
    return Workspace(root=root.absolute())


def open_store_of(
    data_dir: Path, mode: Mode | None = None, *, read_only: bool = True, any_version: bool = False
) -> Workspace:
    """The data directory with its store open, as it is: nothing is made. In service mode that is said first.
    `any_version` is for who brings the tables up to date.

    Raises:
        UnknownNameError: there is none.
        ConfigError, ServiceError, DataError: the database of the service mode cannot be used; the message says why.
    """
    from swf.service.opening import open_existing_store, open_service_store

    workspace = workspace_of(data_dir)
    found = installation_of(data_dir, mode)
    if found.mode is Mode.SERVICE:
        say(found.in_words)
        open_service_store(found.database, django_apps(), application="testbed", any_version=any_version)
    else:
        open_existing_store(workspace, django_apps(), read_only=read_only)
    return workspace


def installation_of(
    data_dir: Path, mode: Mode | None = None, config: Path | None = None, settings: Sequence[str] | None = None
) -> Installation:
    """The mode of a data directory, its broker and its database.

    Raises:
        ConfigError: with every problem that was found.
    """
    from swf.config import load_sections
    from swf.service.mode import installation
    from swf.service.settings import PLATFORM_SECTIONS

    sources = sources_of(config, settings, mode_override(mode), data_dir=data_dir)
    installed = instruments_here()
    loaded = load_sections(
        PLATFORM_SECTIONS,
        kinds=[kind for instrument in installed for kind in instrument.kinds],
        shipped=[instrument.workflows for instrument in installed],
        sources=sources,
    )
    return installation(loaded)


def mode_override(mode: Mode | None) -> tuple[Override, ...]:
    """What `--mode` sets."""
    from swf.config import Override

    return () if mode is None else (Override(key="service.mode", value=mode, flag=f"--mode {mode}"),)


def django_apps() -> list[str]:
    """The Django apps of the instruments that are installed."""
    return [each.django_app for each in instruments_here()]


def instruments_here() -> tuple[Instrument, ...]:
    """The instruments that are installed."""
    from swf.service.instrument import instruments

    return instruments()


def cores_here() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def scene_in(workspace: Workspace, namespace: str | None) -> Scene:
    """The present instant, and the process that is at work there."""
    from swf.core.scene import Scene, only
    from swf.core.times import SystemClock

    return Scene(now=SystemClock().now(), process=process_in(workspace, namespace), namespaces=only(namespace))


def process_in(workspace: Workspace, namespace: str | None = None) -> int | None:
    """The number of a process that runs agents there; None where none does."""
    from swf.core.times import SystemClock
    from swf.service.at_work import process_at_work

    return process_at_work(workspace, SystemClock(), namespace)


def sources_of(
    config: Path | None,
    settings: Sequence[str] | None,
    overrides: Sequence[Override] = (),
    *,
    files: bool = True,
    data_dir: Path | None = None,
) -> Sources:
    """Where values of the configuration come from, beside the workflow file; the service file of `data_dir` among them.

    Raises:
        ConfigError: a `--set` is not of the form, or the user's file is not there.
    """
    from swf.config import Sources, parse_override, user_file
    from swf.service.settings import PLATFORM_ENVIRONMENT

    bindings = dict(PLATFORM_ENVIRONMENT)
    for instrument in instruments_here():
        bindings |= instrument.environment
    service_file = workspace_of(data_dir).service_file if data_dir is not None else None
    return Sources(
        overrides=(*(parse_override(text) for text in settings or ()), *overrides),
        env=dict(os.environ),
        bindings=bindings,
        user_file=user_file(config, os.environ, Path.cwd()) if files else None,
        service_file=service_file if service_file is not None and service_file.is_file() else None,
        folder=Path.cwd(),
    )


def registry_of(sources: Sources) -> WorkflowRegistry:
    """All workflows that can be found from there.

    Raises:
        ConfigError: the user's file cannot be read, or a folder of its path is not there.
    """
    from swf.config import WorkflowRegistry

    installed = instruments_here()
    return WorkflowRegistry(
        kinds=[kind for instrument in installed for kind in instrument.kinds],
        shipped=[instrument.workflows for instrument in installed],
        sources=sources,
    )
