"""The workflows that can be run, with every parameter and where its value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from swf.config import Configuration, WorkflowFile, WorkflowRegistry
from swf.core.errors import ConfigError
from swf.core.plain import Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowLine(Shown):
    """A workflow in one line; `kind` is None and `problem` says why, where it cannot be run."""

    name: str
    kind: str | None
    version: str
    description: str
    file: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowAgent(Shown):
    """A role of a workflow's kind; `runs` says whether its agent is enabled."""

    role: str
    runs: bool
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDetail(Shown):
    """A workflow with the agents that it runs and the text of its definition."""

    name: str
    kind: str | None
    version: str
    description: str
    file: str
    problem: str
    agents: tuple[WorkflowAgent, ...]
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowParameter(Shown):
    """A parameter as an execution that is started now would have it; secrets are left out."""

    parameter: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowParameters(Shown):
    """The parameters of a workflow, section by section."""

    name: str
    parameters: tuple[WorkflowParameter, ...]


def list_workflows(registry: WorkflowRegistry) -> tuple[WorkflowLine, ...]:
    """The workflows that can be run: shipped ones, and those of the folders in `workflows.path`."""
    return tuple(_line(workflow) for workflow in registry.list())


def show_workflow(registry: WorkflowRegistry, workflow: WorkflowFile) -> WorkflowDetail:
    """A workflow: its kind, the agents that it runs, and the text of its definition.

    Raises:
        ConfigError: it cannot be run.
    """
    configuration = _loaded(registry, workflow)
    roles = set(configuration.roles())
    line = _line(workflow)
    return WorkflowDetail(
        **{field: getattr(line, field) for field in WorkflowLine.__slots__},
        agents=tuple(
            WorkflowAgent(role=role.name, runs=role.name in roles, description=role.description)
            for role in configuration.kind.agents
        ),
        definition=workflow.path.read_text(encoding="utf-8"),
    )


def workflow_parameters(registry: WorkflowRegistry, workflow: WorkflowFile) -> WorkflowParameters:
    """The parameters of a workflow, each with where its value comes from.

    Raises:
        ConfigError: it cannot be run.
    """
    configuration = _loaded(registry, workflow)
    values, origins = configuration.as_parameters(), configuration.origins()
    found = ((name, _at(values, name), origin) for name, origin in origins.items())
    return WorkflowParameters(
        name=workflow.name,
        parameters=tuple(
            WorkflowParameter(parameter=name, value=value, origin=origin)
            for name, value, origin in found
            if value is not _NOWHERE
        ),
    )


_NOWHERE: Any = object()


def _at(values: dict[str, Any], dotted: str) -> Any:
    found: Any = values
    for part in dotted.split("."):
        found = found.get(part, _NOWHERE) if isinstance(found, dict) else _NOWHERE
    return found


def _loaded(registry: WorkflowRegistry, workflow: WorkflowFile) -> Configuration:
    if workflow.kind is None:
        raise ConfigError(workflow.problem)
    return registry.load(workflow)


def _line(workflow: WorkflowFile) -> WorkflowLine:
    return WorkflowLine(
        name=workflow.name,
        kind=workflow.kind.name if workflow.kind else None,
        version=workflow.version,
        description=workflow.description,
        file=str(workflow.path),
        problem=workflow.problem,
    )
