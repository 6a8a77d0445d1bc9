"""The pages about workflows that can be run, and the form that starts one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from swf.config import WorkflowFile, WorkflowRegistry
from swf.config.describe import expected, field_schema
from swf.config.overrides import parse_value
from swf.core.errors import ConfigError, IllegalMoveError, QuestionError, UnknownNameError
from swf.core.modes import Mode
from swf.epic.usecases.starting import StartOrder, ordered, see_that_it_may_be_set, start_workflow
from swf.service.workflows import WorkflowParameter, list_workflows, show_workflow, workflow_parameters
from swf.web.access import Role, access_of
from swf.web.columns import Column, Show
from swf.web.forms import reason_of
from swf.web.marks import part
from swf.web.rest.writes import Deed, done, who_asks
from swf.web.site import site

_COLUMNS = (
    Column(title="Workflow", field="name", show=Show.NAME, link=lambda line: f"/workflows/{part(line.name)}"),
    Column(title="Kind", value=lambda line: line.kind or "cannot be run"),
    Column(title="Version", field="version"),
    Column(title="What it does", value=lambda line: line.problem or line.description, show=Show.WORDS),
)
_AGENT_COLUMNS = (
    Column(title="Role", field="role", show=Show.NAME),
    Column(title="Runs", field="runs", show=Show.YES_NO),
    Column(title="What it does", field="description", show=Show.WORDS),
)
_PARAMETER_COLUMNS = (
    Column(title="Parameter", field="parameter", show=Show.NAME),
    Column(title="Value", value=lambda line: str(line.value), show=Show.WORDS),
    Column(title="From", field="origin", show=Show.WORDS),
)
_PREFIX = "set:"
"""Before the names of parameters in the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartField:
    """A parameter in the form: what it is without a change, what it takes, and what was written."""

    name: str
    now: str
    expected: str
    written: str

    @property
    def key(self) -> str:
        """Its name in the form."""
        return f"{_PREFIX}{self.name}"


@require_safe
def workflows(request: HttpRequest) -> HttpResponse:
    """The workflows that can be run."""
    found = list(list_workflows(_registry()))
    return render(request, "epic/workflows.html", {"workflows": found, "columns": _COLUMNS})


@require_safe
def workflow(request: HttpRequest, name: str) -> HttpResponse:
    """A workflow, with its parameters and the form that starts it."""
    return _shown(request, name)


@require_POST
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for an execution of it; the form again with what is wrong, where it cannot be started."""
    written = {key.removeprefix(_PREFIX): text.strip() for key, text in _posted(request) if text.strip()}
    namespace, dry_run = request.POST.get("namespace", "").strip(), "check" in request.POST
    try:
        reason = reason_of(request)
        parameters = {key: _value(_registry().named(name), key, text) for key, text in written.items()}
        found = ordered(_registry(), StartOrder(workflow=name, parameters=parameters, namespace=namespace))
        who, here = who_asks(request), site()
        deed = Deed(action="execution.start", subject=name, namespace=found.namespace, reason=reason, dry_run=dry_run)
        started = done(
            request,
            deed,
            lambda: start_workflow(found, who, here.mode, here.clock, dry_run=dry_run),
            lambda now: {"execution": now.execution, "namespace": now.namespace},
        )
    except (ConfigError, QuestionError, IllegalMoveError) as error:
        return _shown(request, name, written=written, wrong=str(error), status=422)
    if dry_run:
        return _shown(request, name, written=written, well="It can be started as it is here.")
    return HttpResponseRedirect(f"/executions/{part(started.execution)}")


def _shown(request: HttpRequest, name: str, status: int = 200, **more: Any) -> HttpResponse:
    registry = _registry()
    file = registry.named(name)
    detail = show_workflow(registry, file)
    parameters = workflow_parameters(registry, file).parameters
    written = more.pop("written", {})
    context = {
        "workflow": detail,
        "agents": list(detail.agents),
        "agent_columns": _AGENT_COLUMNS,
        "parameters": list(parameters),
        "parameter_columns": _PARAMETER_COLUMNS,
        "fields": list(_fields(file, parameters, written)),
        "embedded": site().mode is Mode.EMBEDDED,
        "may": Role.OPERATOR in access_of(request).grants.values() or access_of(request).administers(),
        "reason": request.POST.get("reason", ""),
        "namespace": request.POST.get("namespace", ""),
        **more,
    }
    return render(request, "epic/workflow.html", context, status=status)


def _fields(
    file: WorkflowFile, parameters: tuple[WorkflowParameter, ...], written: dict[str, str]
) -> Iterator[StartField]:
    """The parameters that may be set from afar."""
    assert file.kind is not None
    sections = {each.section: each for each in file.kind.sections}
    for parameter in parameters:
        section, _, key = parameter.parameter.rpartition(".")
        try:
            see_that_it_may_be_set(file.kind, parameter.parameter)
        except QuestionError:
            continue
        yield StartField(
            name=parameter.parameter,
            now=str(parameter.value),
            expected=expected(field_schema(sections[section], key)),
            written=written.get(parameter.parameter, ""),
        )


def _value(file: WorkflowFile, name: str, text: str) -> object:
    """What a text in the form means.

    Raises:
        QuestionError: it is none of the parameter's, or that may not be set from afar.
        ConfigError: the workflow cannot be run.
    """
    if file.kind is None:
        raise ConfigError(file.problem)
    see_that_it_may_be_set(file.kind, name)
    section, _, key = name.rpartition(".")
    schema = field_schema(next(each for each in file.kind.sections if each.section == section), key)
    try:
        return parse_value(text, schema)
    except ValueError as error:
        raise QuestionError(name, f"expected {expected(schema)}: {error}") from None


def _posted(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for key, value in request.POST.items():
        if key.startswith(_PREFIX) and isinstance(value, str):
            yield key, value


def _registry() -> WorkflowRegistry:
    found = site().workflows
    if found is None:
        raise UnknownNameError("this monitor knows no workflows; those of this machine: testbed workflows list")
    return found
