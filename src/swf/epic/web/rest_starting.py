"""The workflows that can be run, starting one, and the executions that were started."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from swf.config import WorkflowRegistry
from swf.core.errors import ConfigError
from swf.core.plain import plain
from swf.epic.usecases.starting import Started, StartOrder, ordered, start_workflow
from swf.service.queries.executions import EXECUTIONS
from swf.service.workflows import (
    WorkflowDetail,
    WorkflowLine,
    WorkflowParameters,
    list_workflows,
    show_workflow,
    workflow_parameters,
)
from swf.web.rest.answers import answered
from swf.web.rest.lists import add_list, refuse_unknown
from swf.web.rest.repeats import once
from swf.web.rest.values import Name, Wish
from swf.web.rest.writes import Deed, done, who_asks
from swf.web.site import site

router = Router(tags=["workflows"])

# An address belongs to one router: the list is where a new execution is asked for.
add_list(router, EXECUTIONS, "executions")


class Start(Wish):
    """What is to be started."""

    workflow: str = Field(pattern="^[A-Za-z0-9_.-]{1,100}$", description="A workflow, by its name.")
    parameters: dict[str, bool | int | float | str | None] = Field(
        default_factory=dict, max_length=200, description="Values by `section.key`; all others are the workflow's."
    )
    namespace: str = Field(
        "", pattern="^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?$", description="Where; empty: that of the configuration."
    )


class Workflows(Schema):
    """The workflows, by name; all of them are on one page."""

    items: list[WorkflowLine]
    next: None


@router.get(
    "/workflows",
    response=Workflows,
    operation_id="list_workflows",
    summary="The workflows that can be run",
)
def list_all(request: HttpRequest) -> HttpResponse:
    """Shipped ones, and those of the configured folders."""
    refuse_unknown(request, {})
    return answered(request, {"items": plain(list_workflows(_registry())), "next": None})


@router.get(
    "/workflows/{key}",
    response=WorkflowDetail,
    operation_id="show_workflow",
    summary="A workflow: its kind, the agents that it runs, and the text of its definition",
)
def show(request: HttpRequest, key: Name) -> HttpResponse:
    """By its name."""
    refuse_unknown(request, {})
    registry = _registry()
    return answered(request, show_workflow(registry, registry.named(key)).as_json())


@router.get(
    "/workflows/{key}/parameters",
    response=WorkflowParameters,
    operation_id="show_workflow_parameters",
    summary="The parameters of a workflow, each with where its value comes from",
)
def parameters(request: HttpRequest, key: Name) -> HttpResponse:
    """As an execution that is started now would have them."""
    refuse_unknown(request, {})
    registry = _registry()
    return answered(request, workflow_parameters(registry, registry.named(key)).as_json())


@router.post(
    "/workflow-executions",
    response={201: Started},
    operation_id="start_workflow",
    summary="Ask for an execution of a workflow, once every agent that it needs is ready",
    tags=["executions"],
)
def start(request: HttpRequest, body: Start) -> HttpResponse:
    """Needs an operator of the namespace, and the service mode. With the header Idempotency-Key, a repeat starts no
    second one."""
    return once(request, lambda: _started(request, body))


def _started(request: HttpRequest, body: Start) -> HttpResponse:
    order = StartOrder(workflow=body.workflow, parameters=body.parameters, namespace=body.namespace)
    found = ordered(_registry(), order)
    who, here = who_asks(request), site()
    deed = Deed(
        action="execution.start",
        subject=body.workflow,
        namespace=found.namespace,
        reason=body.reason,
        dry_run=body.dry_run,
    )
    execution = done(
        request,
        deed,
        lambda: start_workflow(found, who, here.mode, here.clock, dry_run=body.dry_run),
        _kept,
    )
    return answered(request, execution.as_json(), status=201)


def _kept(started: Started) -> dict[str, Any]:
    return {"execution": started.execution, "namespace": started.namespace}


def _registry() -> WorkflowRegistry:
    found = site().workflows
    if found is None:
        raise ConfigError("this monitor was started without a configuration of workflows: none can be started here")
    return found
