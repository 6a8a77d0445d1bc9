"""Making an execution ready to run: its configuration, its row, its agents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from swf.cli.session import mode_override, registry_of, sources_of, user_name
from swf.core.errors import ConfigError, SwfError
from swf.core.modes import Mode

if TYPE_CHECKING:
    from swf.config import Configuration, Override, Sources, WorkflowKind, WorkflowRegistry
    from swf.core.effects import Boundary
    from swf.epic.launch import EpicExecution
    from swf.service.platform import Platform
    from swf.service.workspace import Workspace
    from swf.store.models import WorkflowExecution


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the flags of `testbed run`, `plan` and `config show` say of the configuration."""

    workflow: str | None = None
    config: Path | None = None
    settings: tuple[str, ...] = ()
    stf_count: int | None = None
    physics_period_count: int | None = None
    input_file: Path | None = None
    realtime: bool | None = None
    namespace: str | None = None
    mode: Mode | None = None
    data_dir: Path | None = None
    """Where the service file is looked for; None: nowhere."""

    def overrides(self, kind: WorkflowKind) -> tuple[Override, ...]:
        """What the short flags set, for this kind."""
        from swf.epic.settings import flag_overrides

        return mode_override(self.mode) + flag_overrides(
            kind,
            stf_count=self.stf_count,
            physics_period_count=self.physics_period_count,
            input_file=self.input_file,
            realtime=self.realtime,
            namespace=self.namespace,
        )

    def sources(self, kind: WorkflowKind | None = None) -> Sources:
        """Where the values come from; the short flags among them once the kind is known."""
        overrides = mode_override(self.mode) if kind is None else self.overrides(kind)
        return sources_of(self.config, self.settings, overrides, data_dir=self.data_dir)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The configuration that an order leads to, and the file of its workflow."""

    configuration: Configuration
    definition: Path


def configured(order: Order, *, default: str = "") -> Ordered:
    """The configuration of the workflow that was asked for, or that the user's file names.

    Raises:
        UnknownNameError: there is no such workflow.
        ConfigError: with every problem that was found; or no workflow is named anywhere.
    """
    registry = registry_of(order.sources())
    name = order.workflow or registry.default or default
    if not name:
        _no_workflow(registry)
    workflow = registry.find(name)
    if workflow.kind is None:
        raise ConfigError(workflow.problem)
    return Ordered(
        configuration=registry.load(workflow, order.sources(workflow.kind)),
        definition=workflow.path,
    )


def reconfigured(order: Order, execution: WorkflowExecution) -> Configuration:
    """The configuration with which an execution goes on: as it was started, with flags on top.

    Raises:
        ConfigError: with every problem that was found; or the flags are for another workflow or namespace.
    """
    from swf.config import load

    name = execution.execution_id
    if order.workflow:
        raise ConfigError(f"--resume {name} goes on with the workflow of that execution: leave out {order.workflow!r}")
    if order.namespace not in {None, execution.namespace}:
        raise ConfigError(
            f"flag --namespace {order.namespace}: execution {name} belongs to namespace {execution.namespace}, and "
            "stays there"
        )
    kind_name = execution.workflow_definition.workflow_type
    registry = registry_of(order.sources())
    kind = next((kind for kind in registry.kinds if kind.name == kind_name), None)
    if kind is None:
        raise ConfigError(f"execution {name} is of kind {kind_name!r}, which no installed instrument has")
    return load(
        kind=kind,
        kinds=registry.kinds,
        sources=order.sources(kind),
        shipped=registry.shipped,
        stored=execution.parameter_values,
        stored_by=f"execution {name}",
    )


def check_runnable(configuration: Configuration) -> None:
    """Whether this program can run what is configured, as far as can be told before anything is made.

    Raises:
        ConfigError: a role has no agent yet, or the input file is not there.
        DataError: the input file is not a ROOT file.
    """
    from swf.epic import runnable

    runnable.check_runnable(configuration)


@contextmanager
def embedded_platform(workspace: Workspace, namespace: str, boundary: Boundary) -> Iterator[Platform]:
    """The platform of this process. The store is open already.

    Raises:
        BusyError: another process runs agents there.
    """
    from swf.service.platform import embedded

    with embedded(workspace, namespace, user_name(), app_name="testbed", boundary=boundary) as platform:
        yield platform


@contextmanager
def launched(platform: Platform, configuration: Configuration, execution: WorkflowExecution) -> Iterator[EpicExecution]:
    """The agents of an execution, closed at the end; one that fails is recorded as failed, with the reason."""
    from swf.epic.launch import EpicExecution
    from swf.service.executions import Status, set_status

    epic: EpicExecution | None = None
    try:
        epic = EpicExecution(platform, configuration, execution)
        yield epic
    except Exception as error:
        reason = str(error) if isinstance(error, SwfError) else f"unexpected {type(error).__name__}: {error}"
        set_status(execution, Status.FAILED, platform.clock, reason)
        raise
    finally:
        if epic is not None:
            epic.close()


def _no_workflow(registry: WorkflowRegistry) -> NoReturn:
    names = ", ".join(workflow.name for workflow in registry.list())
    raise ConfigError(f"no workflow is named: name one of {names}, or a file; or set [workflow] name in testbed.toml")
