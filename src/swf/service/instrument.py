"""Instruments: what each brings to the platform, found through the entry points `swf.instruments`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from swf.config import WorkflowKind
from swf.core.messages import Body


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


def instruments() -> tuple[Instrument, ...]:
    """All installed instruments, by name."""
    found = [entry.load() for entry in entry_points(group="swf.instruments")]
    return tuple(sorted((i for i in found if isinstance(i, Instrument)), key=lambda i: i.name))
