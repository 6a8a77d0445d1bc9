"""What commands need before they can call a use case: who asks, the configuration's sources, the store."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swf.config import Override, Sources, WorkflowRegistry
    from swf.epic.usecases.scene import Scene
    from swf.service.workspace import Workspace


def user_name() -> str:
    """Who runs this program, in the letters that names of executions and agents may have."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # nobody has an entry in this container's list of users
        name = ""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)[:32] or "nobody"


def workspace_of(data_dir: Path) -> Workspace:
    """The data directory."""
    from swf.service.workspace import Workspace

    return Workspace(root=data_dir.absolute())


def open_store_of(data_dir: Path, *, read_only: bool = True) -> Workspace:
    """The data directory with its store open, as it is: nothing is made.

    Raises:
        UnknownNameError: there is none.
    """
    from swf.service.opening import open_existing_store

    workspace = workspace_of(data_dir)
    open_existing_store(workspace, django_apps(), read_only=read_only)
    return workspace


def django_apps() -> list[str]:
    """The Django apps of the instruments that are installed."""
    from swf.service.instrument import instruments

    return [each.django_app for each in instruments()]


def cores_here() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def scene_in(workspace: Workspace, namespace: str | None) -> Scene:
    """The present instant, and the process that is at work there."""
    from swf.core.times import SystemClock
    from swf.epic.usecases.scene import Scene

    return Scene(now=SystemClock().now(), process=workspace.holder(), namespace=namespace)


def sources_of(
    config: Path | None, settings: Sequence[str] | None, overrides: Sequence[Override] = (), *, files: bool = True
) -> Sources:
    """Where values of the configuration come from, beside the workflow file.

    Raises:
        ConfigError: a `--set` is not of the form, or the user's file is not there.
    """
    from swf.config import Sources, parse_override, user_file
    from swf.service.instrument import instruments

    bindings: dict[str, str] = {}
    for instrument in instruments():
        bindings |= instrument.environment
    return Sources(
        overrides=(*(parse_override(text) for text in settings or ()), *overrides),
        env=dict(os.environ),
        bindings=bindings,
        user_file=user_file(config, os.environ, Path.cwd()) if files else None,
        folder=Path.cwd(),
    )


def registry_of(sources: Sources) -> WorkflowRegistry:
    """All workflows that can be found from there.

    Raises:
        ConfigError: the user's file cannot be read, or a folder of its path is not there.
    """
    from swf.config import WorkflowRegistry
    from swf.service.instrument import instruments

    installed = instruments()
    return WorkflowRegistry(
        kinds=[kind for instrument in installed for kind in instrument.kinds],
        shipped=[instrument.workflows for instrument in installed],
        sources=sources,
    )
