"""Which sections there are: those that a kind reads, and those that only other kinds read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swf.config.common import COMMON, AgentSection
from swf.config.describe import suggestion
from swf.config.section import Section
from swf.config.workflow import Role, WorkflowKind

AGENTS = "agents"


class Layout:
    """The sections of one kind among all kinds."""

    def __init__(self, kind: WorkflowKind, kinds: Iterable[WorkflowKind]) -> None:
        # This kind comes last, so that its own models and roles count where another kind has others of one name.
        every = [*(other for other in kinds if other.name != kind.name), kind]
        self.kind = kind
        self.used = sections_of(kind)
        self.roles = {f"{AGENTS}.{role.name}": role for other in every for role in other.agents}
        self.readers: dict[str, list[str]] = {}
        """Each section that any kind reads, with the kinds."""
        self._models: dict[str, type[Section]] = {}
        for other in every:
            for name, model in sections_of(other).items():
                self._models[name] = model
                self.readers.setdefault(name, []).append(other.name)
        self._aliases = {f"{AGENTS}.{alias}": section for section, role in self.roles.items() for alias in role.aliases}
        every_name = {*self._models, *self._aliases}
        self._parents = {".".join(p[:n]) for p in (name.split(".") for name in every_name) for n in range(1, len(p))}

    def canonical(self, name: str) -> str:
        """The name of a section, where an alias was written."""
        return self._aliases.get(name, name)

    def is_section(self, name: str) -> bool:
        """Whether any kind reads this section."""
        return name in self._models

    def is_parent(self, name: str) -> bool:
        """Whether sections lie below this name, as `[agents.data]` below `agents`."""
        return name in self._parents

    def model(self, name: str) -> type[Section]:
        """The model of a section that any kind reads."""
        return self._models[name]

    def role(self, name: str) -> Role | None:
        """The role that a section is about, if it is about one."""
        return self.roles.get(name)

    def unused(self, name: str) -> str:
        """Why a section that other kinds read may not be there."""
        readers = " and ".join(sorted(self.readers[name]))
        return f"unused: [{name}] is read only by workflow {readers}; this one is of kind {self.kind.name}"

    def unknown_section(self, name: str) -> str:
        """What is wrong with a section that nobody knows, and which one may have been meant."""
        hint = suggestion(name, [*self._models, *self._aliases])
        return f"[{name}]: unknown section; {hint or 'known: ' + ', '.join(sorted(self.used))}"

    def unknown_key(self, section: str, key: str) -> str:
        """What is wrong with a key that its section does not have, and which one may have been meant."""
        keys = self._models[section].model_fields
        if elsewhere := list(self.having(key)):
            return f"[{section}] {key}: unknown key; it belongs in {' or '.join(f'[{name}]' for name in elsewhere)}"
        if hint := suggestion(key, keys):
            return f"[{section}] {key}: unknown key; {hint}"
        return f"[{section}] {key}: unknown key; known: {', '.join(sorted(keys)) or 'none'}"

    def having(self, key: str) -> Iterator[str]:
        """The sections of this kind, agents aside, that have a key."""
        return (name for name, model in self.used.items() if key in model.model_fields and name not in self.roles)


def sections_of(kind: WorkflowKind) -> dict[str, type[Section]]:
    """The sections that a kind reads, by name, in the order in which they are shown."""
    sections: dict[str, type[Section]] = {model.section: model for model in COMMON}
    sections |= {f"{AGENTS}.{role.name}": AgentSection for role in kind.agents}
    return sections | {model.section: model for model in kind.sections}
