"""The configuration of one execution: every value, checked, with where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from swf.config.common import AgentSection
from swf.config.describe import field_schema, is_secret, shown
from swf.config.layout import AGENTS
from swf.config.origin import DEFAULT, Origin
from swf.config.section import Section
from swf.config.workflow import WorkflowKind
from swf.core.errors import UnknownNameError

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of the configuration."""

    key: str
    """`section.key`."""
    value: object
    """A secret is a `SecretStr`."""
    origin: Origin
    text: str
    """The value as TOML writes it, cut to a readable length; secrets are masked."""


class Configuration:
    """The effective values of one kind of workflow."""

    def __init__(
        self, kind: WorkflowKind, sections: Mapping[str, Section], origins: Mapping[tuple[str, str], Origin]
    ) -> None:
        self.kind = kind
        self._sections = dict(sections)
        self._origins = dict(origins)

    def section(self, cls: type[S]) -> S:
        """The values of a section.

        Raises:
            UnknownNameError: this kind of workflow does not read it.
        """
        section = self._sections.get(cls.section)
        if not isinstance(section, cls):
            raise UnknownNameError(f"a workflow of kind {self.kind.name} does not read [{cls.section}]")
        return section

    def agent(self, role: str) -> AgentSection:
        """The values of `[agents.<role>]`.

        Raises:
            UnknownNameError: this kind of workflow does not have that role.
        """
        section = self._sections.get(f"{AGENTS}.{role}")
        if not isinstance(section, AgentSection):
            known = ", ".join(role.name for role in self.kind.agents)
            raise UnknownNameError(f"a workflow of kind {self.kind.name} has no role {role!r}; it has: {known}")
        return section

    def roles(self) -> tuple[str, ...]:
        """The roles whose agents run, in the kind's order."""
        return tuple(role.name for role in self.kind.agents if self.agent(role.name).enabled)

    def has(self, dotted: str) -> bool:
        """Whether this kind of workflow reads `section.key`."""
        section, _, key = dotted.rpartition(".")
        return section in self._sections and key in type(self._sections[section]).model_fields

    def value(self, dotted: str) -> Value:
        """The value of `section.key`.

        Raises:
            UnknownNameError: this kind of workflow does not read it.
        """
        if not self.has(dotted):
            raise UnknownNameError(f"a workflow of kind {self.kind.name} does not read {dotted}")
        section, _, key = dotted.rpartition(".")
        value = getattr(self._sections[section], key)
        return Value(key=dotted, value=value, origin=self._origins.get((section, key), DEFAULT), text=shown(value))

    def values(self) -> Iterator[Value]:
        """Every value, section by section."""
        for section, model in self._sections.items():
            for key in type(model).model_fields:
                yield self.value(f"{section}.{key}")

    def origins(self) -> dict[str, str]:
        """Where each value that is stored with an execution came from, by `section.key`."""
        return {
            f"{name}.{key}": str(self._origins.get((name, key), DEFAULT))
            for name, section in self._kept()
            for key in type(section).model_fields
        }

    def quote(self, dotted: str) -> str:
        """A key with its value and origin, for messages: `[stf] tf_count = 100 (default)`."""
        value = self.value(dotted)
        section, _, key = dotted.rpartition(".")
        return f"[{section}] {key} = {value.text} ({value.origin})"

    def as_parameters(self) -> dict[str, Any]:
        """The values as nested objects of what JSON knows, section by section, to be stored with the execution.

        Secrets, and sections of the installation, are left out. `load(stored=...)` makes the configuration from
        them again.
        """
        parameters: dict[str, Any] = {}
        for name, section in self._kept():
            *parents, last = name.split(".")
            table = parameters
            for parent in parents:
                table = table.setdefault(parent, {})
            model = type(section)
            secrets = {key for key in model.model_fields if is_secret(field_schema(model, key))}
            table.setdefault(last, {}).update(section.model_dump(mode="json", exclude=secrets))
        return parameters

    def _kept(self) -> Iterator[tuple[str, Section]]:
        """The sections that are stored with an execution."""
        return ((name, section) for name, section in self._sections.items() if not section.of_installation)
