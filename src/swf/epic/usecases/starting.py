"""Starting a workflow from afar: it is asked for, and the DAQ's agent takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import transaction

from swf.config import Configuration, Override, TestbedSection, WorkflowKind, WorkflowRegistry
from swf.config.describe import field_schema, is_path, is_secret
from swf.core.errors import ConfigError, IllegalMoveError, QuestionError
from swf.core.modes import Mode
from swf.core.names import as_user
from swf.core.plain import Shown
from swf.core.times import Clock
from swf.epic.agents.daq_simulator import ROLE as DAQ_ROLE
from swf.epic.runnable import check_runnable
from swf.service.at_work import NotReady, not_ready
from swf.service.executions import Status, start_execution

_SECTIONS_OF_THE_HOST: Final = frozenset({"exit_buffer", "payload", "runtime", "testbed", "workflow", "workflows"})
"""Sections that say what is run on which machine, and where: whoever may start a workflow does not decide that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """What is to be started: a workflow by its name, parameters by `section.key`, and the namespace; empty: that of the
    configuration."""

    workflow: str
    parameters: Mapping[str, Any]
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Shown):
    """An execution that was asked for; with a dry run, as it would be."""

    execution: str
    workflow: str
    namespace: str
    status: str
    by: str
    parameter_values: dict[str, Any]
    parameter_origins: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The configuration that an order leads to, in its registry."""

    configuration: Configuration
    order: StartOrder
    registry: WorkflowRegistry

    @property
    def namespace(self) -> str:
        """Where the execution will be."""
        return self.configuration.section(TestbedSection).namespace


def ordered(registry: WorkflowRegistry, order: StartOrder) -> Ordered:
    """The configuration of what is to be started.

    Raises:
        UnknownNameError: there is no such workflow.
        ConfigError: with every problem that was found in the parameters.
        QuestionError: a parameter is none that may be set from afar.
    """
    workflow = registry.named(order.workflow)
    if workflow.kind is None:
        raise ConfigError(workflow.problem)
    for key in order.parameters:
        see_that_it_may_be_set(workflow.kind, key)
    given = [Override(key=key, value=value, flag="the request's parameter") for key, value in order.parameters.items()]
    if order.namespace:
        given.append(Override(key="testbed.namespace", value=order.namespace, flag="the request's namespace"))
    sources = replace(registry.sources, overrides=(*registry.sources.overrides, *given))
    return Ordered(configuration=registry.load(workflow, sources), order=order, registry=registry)


def start_workflow(found: Ordered, who: str, mode: Mode, clock: Clock, *, dry_run: bool = False) -> Started:
    """Ask for an execution of a workflow, once every agent that it needs is ready.

    Raises:
        ConfigError: this program cannot run what is configured.
        IllegalMoveError: an agent is not ready; or in the embedded mode, where each run is a process of its own.
    """
    configuration, order = found.configuration, found.order
    check_runnable(configuration)
    if mode is Mode.EMBEDDED:
        raise IllegalMoveError(
            "in the embedded mode nothing waits for work: a run is a process of its own; start it in a terminal with: "
            f"testbed run {order.workflow}; or start the service mode, with `testbed up`"
        )
    missing = agents_missing(configuration, clock)
    if missing:
        why = "; ".join(each.why for each in missing.values())
        raise IllegalMoveError(
            f"not every agent that the workflow needs is ready in namespace {found.namespace}, so nothing is started: "
            f"{why}"
        )
    with transaction.atomic():
        definition = found.registry.named(order.workflow).path
        execution = start_execution(configuration, definition, as_user(who), clock, Status.REQUESTED)
        transaction.set_rollback(dry_run)
    return Started(
        execution=execution.execution_id,
        workflow=order.workflow,
        namespace=execution.namespace,
        status=execution.status,
        by=execution.executed_by,
        parameter_values=execution.parameter_values,
        parameter_origins=execution.parameter_origins,
    )


def agents_missing(configuration: Configuration, clock: Clock) -> Mapping[str, NotReady]:
    """The roles of a workflow that no agent can play at present, and why."""
    roles = [DAQ_ROLE if role == "daq" else role for role in configuration.roles()]
    return not_ready(configuration.section(TestbedSection).namespace, roles, clock.now())


def see_that_it_may_be_set(kind: WorkflowKind, dotted: str) -> None:
    """See to it that a parameter is one that may be set from afar.

    Raises:
        QuestionError: it is none of the workflow's, or says what is run on which machine.
    """
    name, _, key = dotted.rpartition(".")
    section = next((each for each in kind.sections if each.section == name), None)
    if section is None or key not in section.model_fields:
        raise QuestionError(f"parameters.{dotted[:100]}", f"a workflow of kind {kind.name} has no such parameter")
    schema = field_schema(section, key)
    if section.of_installation or name in _SECTIONS_OF_THE_HOST or is_path(schema) or is_secret(schema):
        raise QuestionError(
            f"parameters.{dotted}",
            "it says what is run on a machine, or where: it is set in the file testbed.toml there",
        )
