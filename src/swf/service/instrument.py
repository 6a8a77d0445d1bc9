"""Instruments: what each brings to the platform, found through the entry points `swf.instruments`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from swf.config import WorkflowKind
from swf.core.messages import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationEntry:
    """A link in the head of the monitor's pages."""

    title: str
    path: str
    """Where it leads: `/stfs/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """What an instrument adds to the monitor, as import strings `module:name`: nothing of it is imported before Django
    is set up, and agents never import it."""

    router: str
    """A `ninja.Router`, or several as a tuple; its paths are below `/api/v1`."""
    pages: str
    """A list of Django's URL patterns; their paths are below `/`."""
    tools: str
    """A function that is given a `swf.web.toolbox.Toolbox` and adds tools for AI assistants to it."""
    navigation: tuple[NavigationEntry, ...] = ()
    now: str = ""
    """A function from a request to the HTML that the first page shows of it; empty: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What an instrument package declares. It imports no model: Django may not be set up yet."""

    name: str
    django_app: str
    messages: tuple[type[Body], ...]
    kinds: tuple[WorkflowKind, ...]
    environment: Mapping[str, str]
    """Which variable sets which `section.key`."""
    workflows: Path
    """The folder of its shipped workflow files."""
    web: WebParts | None = None
    """What it adds to the monitor; None: nothing."""


def imported(name: str) -> Any:
    """What an import string `module:name` stands for."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def instruments() -> tuple[Instrument, ...]:
    """All installed instruments, by name."""
    found = [entry.load() for entry in entry_points(group="swf.instruments")]
    return tuple(sorted((i for i in found if isinstance(i, Instrument)), key=lambda i: i.name))
