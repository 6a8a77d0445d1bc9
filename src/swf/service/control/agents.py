"""The agents of a data directory as programs of its supervisord."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from swf.core.errors import UnknownNameError
from swf.service.control.daemon import SERVERS
from swf.service.control.programs import Program

_SUFFIX: Final = "-agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The agents that a configuration enables."""

    roles: tuple[str, ...]
    workflow: str
    """Its name, or the absolute path of its file."""
    config: Path | None
    """The user's file, absolute."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the configuration that were set where the agents were started; no secrets."""

    def programs(self, root: Path) -> tuple[Program, ...]:
        """One for each, as supervisord runs them in a data directory."""
        return tuple(self._program(role, root) for role in self.roles)

    def _program(self, role: str, root: Path) -> Program:
        command = [sys.executable, "-m", "swf.cli", "agents", "run", role, "--data-dir", str(root)]
        command += ["--workflow", self.workflow]
        command += ["--config", str(self.config)] if self.config is not None else []
        return Program(name=program_name(role), command=command, environment=self.environment)


def program_name(role: str) -> str:
    """`fast-processing-agent`, as older instructions have it."""
    return role.replace("_", "-") + _SUFFIX


def role_of(program: str) -> str:
    """The role of a program."""
    return program.removesuffix(_SUFFIX).replace("-", "_")


def is_agent(program: str) -> bool:
    """Whether it is an agent, and no server."""
    return program not in SERVERS


def chosen(known: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The programs of the agents that were named, by role or by program; all where none was.

    Raises:
        UnknownNameError: there is none of a name; the message says which there are.
    """
    agents = [name for name in known if is_agent(name)]
    names = []
    for given in wanted:
        name = program_name(given.removesuffix(_SUFFIX))
        if name not in agents:
            there = ", ".join(map(role_of, agents)) or "none"
            raise UnknownNameError(f"there is no agent {given[:80]!r} here; there are: {there}")
        names.append(name)
    return list(dict.fromkeys(names)) or agents
