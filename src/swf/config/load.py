"""From files, variables and flags to one checked configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from swf.config.common import AgentSection
from swf.config.configuration import Configuration
from swf.config.describe import expected, field_schema, is_optional, is_path, is_secret, shown
from swf.config.entries import Entry, Reading, script_problem
from swf.config.includes import read_tree
from swf.config.layout import Layout
from swf.config.origin import DEFAULT, Layer, Origin
from swf.config.overrides import Sources
from swf.config.paths import absolute
from swf.config.problems import config_error
from swf.config.section import Section
from swf.config.shared import settle
from swf.config.tomlfile import read_toml
from swf.config.workflow import WorkflowKind

_CHOOSES = {("workflow", "name"), ("workflow", "config")}
"""What the user's file says to choose a workflow; it does not rename the chosen one."""

Origins = dict[tuple[str, str], Origin]


def load(
    *,
    kind: WorkflowKind,
    kinds: Iterable[WorkflowKind],
    sources: Sources | None = None,
    workflow: Path | None = None,
    shipped: Sequence[Path] = (),
    stored: Mapping[str, Any] | None = None,
    stored_by: str = "stored parameters",
) -> Configuration:
    """Load the configuration of a workflow of one kind.

    Layers, strongest first: command line, `stored` (an execution that is resumed), the service file, environment, the
    user's file, the workflow file, what it includes, defaults. Each value keeps its origin.

    Args:
        kind: the kind of workflow.
        kinds: all kinds, to say of an unused section who reads it.
        sources: command line, environment and the user's file.
        workflow: the workflow file; without one, there are only defaults below the user's file.
        shipped: folders where included files are looked up after the folder of the including file.
        stored: what `Configuration.as_parameters` gave when the execution started.
        stored_by: whose parameters these are, for messages and origins.

    Raises:
        ConfigError: with every problem that was found: each names the place, the key, the value and what was expected.
    """
    sources = sources or Sources()
    reading = Reading(Layout(kind, kinds))
    if workflow is not None:
        *included, main = read_tree(workflow, shipped)
        for file in included:
            reading.file(file, Layer.INCLUDE)
        reading.file(main, Layer.WORKFLOW)
    _read_surroundings(reading, sources, shipped)
    if stored is not None:
        reading.stored(stored, stored_by)
    reading.overrides(sources.overrides)
    what = str(workflow or sources.user_file or "the configuration")
    configuration, problems = _configuration(reading, kind, sources, workflow)
    problems = [*reading.problems, *problems]
    if not problems and configuration is not None:
        problems = [problem for check in kind.checks for problem in check(configuration)]
    if problems or configuration is None:
        raise config_error(what, problems)
    return configuration


def load_sections(
    sections: Sequence[type[Section]],
    *,
    kinds: Iterable[WorkflowKind],
    sources: Sources,
    shipped: Sequence[Path] = (),
) -> Configuration:
    """Load these sections alone, for a command that runs no workflow: the same layers without a workflow's files.

    Raises:
        ConfigError: with every problem that was found in the user's file, the environment and the flags.
    """
    kind = WorkflowKind(name="any", description="", sections=tuple(sections))
    reading = Reading(Layout(kind, kinds), only=True)
    _read_surroundings(reading, sources, shipped)
    reading.overrides(sources.overrides)
    configuration, problems = _configuration(reading, kind, sources, None)
    problems = [*reading.problems, *problems]
    if problems or configuration is None:
        raise config_error(str(sources.user_file or "the configuration"), problems)
    return configuration


def _read_surroundings(reading: Reading, sources: Sources, shipped: Sequence[Path]) -> None:
    """Read what is there beside the workflow and the flags: the user's file, the environment, the service file."""
    if sources.user_file is not None:
        for file in read_tree(sources.user_file, shipped, named_by="the user's configuration", follow_config=False):
            reading.file(file, Layer.USER)
    reading.environment(sources)
    if sources.service_file is not None:
        reading.file(read_toml(sources.service_file, named_by="the data directory"), Layer.SERVICE)


def _configuration(
    reading: Reading, kind: WorkflowKind, sources: Sources, workflow: Path | None
) -> tuple[Configuration | None, list[str]]:
    chosen = _strongest(reading, kind, workflow)
    origins: Origins = {key: entry.origin for key, entry in chosen.items()}
    sections: dict[str, Section] = {}
    problems: list[str] = []
    for name, model in reading.layout.used.items():
        entries = {key: entry for (section, key), entry in chosen.items() if section == name}
        raw = {key: _raw(entry, model, sources.folder) for key, entry in entries.items()}
        try:
            sections[name] = model.model_validate(raw)
        except ValidationError as error:
            problems += _invalid(error, model, entries)
    problems += _agent_problems(reading.layout, kind, sections, origins)
    if len(sections) < len(reading.layout.used):
        return None, problems
    for shared in kind.shared:
        settled = settle(shared, sections, origins)
        if isinstance(settled, str):
            problems.append(settled)
            continue
        for dotted in settled.keys:
            name, _, key = dotted.rpartition(".")
            sections[name] = sections[name].model_copy(update={key: settled.value})
            origins[name, key] = settled.origin_for(dotted)
    return Configuration(kind, sections, origins), problems


def _strongest(reading: Reading, kind: WorkflowKind, workflow: Path | None) -> dict[tuple[str, str], Entry]:
    chosen: dict[tuple[str, str], Entry] = {}
    origin = Origin(layer=Layer.INCLUDE, file=workflow.absolute()) if workflow else DEFAULT
    name = workflow.stem.removesuffix("_default") if workflow else kind.name
    chosen["workflow", "name"] = Entry(section="workflow", key="name", value=name, origin=origin)
    chosen["workflow", "kind"] = Entry(section="workflow", key="kind", value=kind.name, origin=origin)
    for entry in sorted(reading.entries, key=lambda entry: entry.origin.layer):
        key = (entry.section, entry.key)
        if key in _CHOOSES and entry.origin.layer is Layer.USER:
            continue
        chosen[key] = entry
    said = chosen["workflow", "kind"]
    if said.value != kind.name and not reading.only:
        reading.problems.append(
            f"{said.origin}: [workflow] kind = {shown(said.value)}: expected {shown(kind.name)}, the kind of the "
            "workflow that was chosen"
        )
    return chosen


def _raw(entry: Entry, model: type[Section], folder: Path) -> object:
    if not is_path(field_schema(model, entry.key)):
        return entry.value
    if entry.value == "" and is_optional(model, entry.key):
        return None
    return absolute(entry.value, entry.origin.folder or folder)


def _invalid(error: ValidationError, model: type[Section], entries: Mapping[str, Entry]) -> list[str]:
    whole = [problem for problem in error.errors(include_url=False) if not problem["loc"]]
    problems = [f"[{model.section}]: {problem['msg']}" for problem in whole]
    for key in dict.fromkeys(str(p["loc"][0]) for p in error.errors(include_url=False) if p["loc"]):
        entry, schema = entries[key], field_schema(model, key)
        value = "a secret" if is_secret(schema) else shown(entry.value)
        problems.append(f"{entry.origin}: [{entry.section}] {key} = {value}: expected {expected(schema)}")
    return problems


def _agent_problems(layout: Layout, kind: WorkflowKind, sections: Mapping[str, Section], origins: Origins) -> list[str]:
    problems = []
    for name, section in sections.items():
        role = layout.role(name)
        if role is None or not isinstance(section, AgentSection):
            continue
        if not section.enabled and role.name in kind.required:
            origin = origins[name, "enabled"]
            problems.append(
                f"{origin}: [{name}] enabled = false: a workflow of kind {kind.name} cannot run without it: "
                f"{kind.required[role.name]}; expected true"
            )
        if section.script is not None:
            problem = script_problem(role, section.script, origins[name, "script"])
            problems += [problem] if problem else []
    return problems
