"""Entries: one value of one key from one source, under the key's one name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swf.config.describe import field_schema, is_secret, shown
from swf.config.layout import AGENTS, Layout
from swf.config.origin import Layer, Origin
from swf.config.overrides import Override, Sources, parse_value
from swf.config.tomlfile import TomlFile
from swf.config.workflow import Role

_ONLY_IN_FILES = {("workflow", "includes"), ("workflow", "config")}
_NOT_IN_WORKFLOWS = "workflows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value as it was written."""

    section: str
    key: str
    value: object
    origin: Origin


@dataclass(slots=True)
class Reading:
    """What has been read so far, and what was wrong with it."""

    layout: Layout
    only: bool = False
    """Whether sections that only other kinds read are passed over: what a command reads that runs no workflow."""
    entries: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def file(self, file: TomlFile, layer: Layer) -> None:
        """Take the values of a file."""
        self._table(file.table, "", lambda dotted: _in_file(file, layer, dotted), {})

    def stored(self, parameters: Mapping[str, Any], name: str) -> None:
        """Take the values that an execution was started with; keys that are gone since are problems."""
        origin = Origin(layer=Layer.STORED, name=name)
        self._table(parameters, "", lambda dotted: origin, {})

    def environment(self, sources: Sources) -> None:
        """Take the bound variables that are set. One for a section that the kind does not read is left alone: a shell
        is not written for one workflow."""
        for variable, dotted in sources.bindings.items():
            text = sources.env.get(variable, "")
            section, _, key = dotted.rpartition(".")
            if text and section in self.layout.used:
                self._text(section, key, text, Origin(layer=Layer.ENVIRONMENT, name=variable))

    def overrides(self, overrides: tuple[Override, ...]) -> None:
        """Take the values of the command line; the same key twice with different values is a problem."""
        first: dict[tuple[str, str], Override] = {}
        for override in overrides:
            written, _, key = override.key.rpartition(".")
            section = self.layout.canonical(written)
            earlier = first.setdefault((section, key), override)
            if earlier is not override and earlier.value != override.value:
                self.problems.append(
                    f"flag {override.flag}: {override.key} is given twice with different values "
                    f"(the other by flag {earlier.flag}): give it once"
                )
                continue
            self._override(section, key, override)

    def _override(self, section: str, key: str, override: Override) -> None:
        origin = Origin(layer=Layer.FLAG, name=override.flag)
        if not section:
            sections = " or ".join(f"{name}.{key}" for name in self.layout.having(key))
            hint = f"did you mean {sections}?" if sections else "for example testbed.namespace=mine"
            self.problems.append(f"{origin}: {override.key!r} has no section: expected section.key=value; {hint}")
        elif not self.layout.is_section(section):
            self.problems.append(f"{origin}: {self.layout.unknown_section(section)}")
        elif key not in self.layout.model(section).model_fields:
            self.problems.append(f"{origin}: {self.layout.unknown_key(section, key)}")
        elif (section, key) in _ONLY_IN_FILES:
            self.problems.append(f"{origin}: [{section}] {key} has an effect only in a file: write it there")
        elif override.is_text:
            self._text(section, key, str(override.value), origin)
        else:
            self._take(Entry(section=section, key=key, value=override.value, origin=origin))

    def _text(self, section: str, key: str, text: str, origin: Origin) -> None:
        schema = field_schema(self.layout.model(section), key)
        try:
            value = parse_value(text, schema)
        except ValueError as error:
            what = "a secret" if is_secret(schema) else shown(text)
            self.problems.append(f"{origin}: [{section}] {key} = {what}: {error}")
            return
        self._take(Entry(section=section, key=key, value=value, origin=origin))

    def _take(self, entry: Entry) -> None:
        if entry.section in self.layout.used:
            self.entries.append(entry)
        elif not (self.only or _says_disabled(entry.section, {entry.key: entry.value})):
            self.problems.append(f"{entry.origin}: {self.layout.unused(entry.section)}")

    def _table(
        self,
        table: Mapping[str, Any],
        prefix: str,
        origin_of: Callable[[str], Origin],
        seen: dict[tuple[str, str], Entry],
    ) -> None:
        section = self.layout.canonical(prefix)
        is_section = self.layout.is_section(section)
        if is_section and section not in self.layout.used:
            if not (self.only or _says_disabled(section, table)):
                self.problems.append(f"{origin_of(prefix)}: {self.layout.unused(section)}")
            return
        for key, value in table.items():
            dotted = f"{prefix}.{key}" if prefix else key
            here = origin_of(dotted)
            below = self.layout.canonical(dotted)
            if self.layout.is_section(below) or self.layout.is_parent(below):
                if isinstance(value, dict):
                    self._table(value, dotted, origin_of, seen)
                else:
                    self.problems.append(f"{here}: {dotted} = {shown(value)}: expected a section, [{dotted}]")
            elif is_section:
                self._key(Entry(section=section, key=key, value=value, origin=here), prefix, seen)
            elif isinstance(value, dict):
                self.problems.append(f"{here}: {self.layout.unknown_section(dotted)}")
            else:
                self.problems.append(f"{here}: the key {dotted} stands outside of a section; write [section] above it")

    def _key(self, entry: Entry, written: str, seen: dict[tuple[str, str], Entry]) -> None:
        if entry.key not in self.layout.model(entry.section).model_fields:
            self.problems.append(f"{entry.origin}: {self.layout.unknown_key(entry.section, entry.key)}")
            return
        if entry.section == _NOT_IN_WORKFLOWS and entry.origin.layer in {Layer.INCLUDE, Layer.WORKFLOW}:
            self.problems.append(
                f"{entry.origin}: [{written}] {entry.key}: a workflow file does not say where workflows are: "
                "expected in the user's file"
            )
            return
        earlier = seen.setdefault((entry.section, entry.key), entry)
        if earlier is not entry and earlier.value != entry.value:
            self.problems.append(
                f"{entry.origin}: [{written}] {entry.key} = {shown(entry.value)}, but {earlier.origin} says "
                f"{shown(earlier.value)} for the same agent under its other name: keep one"
            )
            return
        self.entries.append(entry)


def script_problem(role: Role, value: str, origin: Origin) -> str | None:
    """What is wrong with the key `script` of a role, if anything: it may only say what the role does anyway."""
    if value in role.scripts:
        return None
    allowed = " or ".join(shown(script) for script in role.scripts)
    accepted = f"only {allowed} is accepted here, for older files; " if allowed else ""
    return (
        f"{origin}: [{AGENTS}.{role.name}] script = {shown(value)}: code is never chosen by a configuration; "
        f"{accepted}remove the key"
    )


def _in_file(file: TomlFile, layer: Layer, dotted: str) -> Origin:
    return Origin(layer=layer, file=file.path, line=file.lines.get(dotted))


def _says_disabled(section: str, table: Mapping[str, Any]) -> bool:
    """Whether a section says of an agent that it does not run, which is true of one that the kind does not have."""
    return section.startswith(f"{AGENTS}.") and table.get("enabled") is False
