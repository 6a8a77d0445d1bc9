"""Kinds of workflows: which sections a kind reads, which agents it runs, and what must fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from swf.config.section import Section

if TYPE_CHECKING:
    from swf.config.configuration import Configuration

Check: TypeAlias = "Callable[[Configuration], Iterator[str]]"
"""Yields what does not fit together, one text each; pure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role that an agent can have; its section is `[agents.<name>]`."""

    name: str
    description: str
    aliases: tuple[str, ...] = ()
    """Other names that its section may have: `stf-data`."""
    scripts: tuple[str, ...] = ()
    """The values that its key `script` may have; they say nothing more than the role does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """One quantity that several sections hold under the same or another key.

    `ranks` has the strongest keys first; keys of one rank are equal. A stronger layer (a flag, the including file) wins
    first; within a layer, the stronger rank. All keys then have the winner's value.
    """

    name: str
    ranks: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowKind:
    """A kind of workflow. Code is chosen by a kind that the program knows, never by a text in a file."""

    name: str
    description: str
    sections: tuple[type[Section], ...]
    """The sections that it reads, beside those of every kind."""
    agents: tuple[Role, ...] = ()
    """The roles that it may run."""
    required: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Roles that cannot be disabled, each with the reason."""
    shared: tuple[SharedKey, ...] = ()
    checks: tuple[Check, ...] = ()
