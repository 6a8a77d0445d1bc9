"""The tools of the particle-physics workflows for AI assistants."""

from __future__ import annotations

import json
from typing import Annotated, Any

from django.http import HttpRequest
from pydantic import Field

from swf.epic.usecases.explain import explain as explained
from swf.epic.usecases.runs import RUNS, show_run
from swf.epic.usecases.samples import SAMPLES
from swf.epic.usecases.slices import SLICES
from swf.epic.usecases.stfs import STFS
from swf.epic.usecases.summary import ledger_as_json
from swf.epic.usecases.summary import run_ledger as ledger_of_run
from swf.epic.usecases.workflow_monitor import workflow_monitor
from swf.epic.web import rest_starting, rest_writing
from swf.web.rest.values import Text, Word
from swf.web.scene import scene_of
from swf.web.toolbox import Toolbox

RunId = Annotated[int, Field(ge=1, le=2**31 - 1, description="The number of a run.")]
Name = Annotated[str, Field(min_length=1, max_length=250, description="A run number, or the name of a thing.")]
Execution = Annotated[str, Field(min_length=1, max_length=250, description="The name of an execution.")]
Reason = Annotated[Text, Field(description="Why; it is kept with who and when.")]
DryRun = Annotated[bool, Field(description="Change nothing; the answer is what would be.")]
Slices = Annotated[
    list[Word], Field(max_length=1000, description="Names of slices; none: all of the run that failed or expired.")
]
Workflow = Annotated[str, Field(pattern="^[A-Za-z0-9_.-]{1,100}$", description="The name of a workflow.")]
Parameters = Annotated[
    dict[str, bool | int | float | str | None],
    Field(max_length=200, description="Values by `section.key`; all others are the workflow's."),
]
Namespace = Annotated[
    str,
    Field(pattern="^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?$", description="Where; empty: that of the configuration."),
]


def add_tools(tools: Toolbox) -> None:
    """Add this instrument's tools."""
    tools.add_list(RUNS, "list_runs")
    tools.add_list(STFS, "list_stf_files")
    tools.add_list(SAMPLES, "list_tf_files")
    tools.add_list(SLICES, "list_tf_slices")
    tools.add(get_run)
    tools.add(run_ledger)
    tools.add(explain)
    tools.add(get_workflow_monitor)
    tools.add(list_workflows)
    tools.add(start_workflow, writes=True)
    tools.add(retry_slices, writes=True)


def get_run(request: HttpRequest, run: RunId) -> dict[str, Any]:
    """A run: its state, its execution, and the figures that the agents keep."""
    return show_run(run, scene_of(request)).as_json()


def run_ledger(request: HttpRequest, run: RunId) -> dict[str, Any]:
    """The account of a run: produced = registered + missing, how many STFs are in which state at each stage, and the
    name of each unit that is not done."""
    return {"run": run, **ledger_as_json(ledger_of_run(run, scene_of(request).namespaces))}


def explain(request: HttpRequest, name: Name) -> dict[str, Any]:
    """Why a run, STF, TF sample file, slice, execution, dataset, agent or product is as it is: what it waits for or why
    it failed, its attempts, its latest events, and what to do next."""
    return explained(name, scene_of(request)).as_json()


def get_workflow_monitor(request: HttpRequest, execution: Execution) -> dict[str, Any]:
    """An execution at a glance: its run with its figures, the agents, raised alarms, messages that wait for a decision,
    the latest errors and the latest events."""
    return workflow_monitor(execution, scene_of(request)).as_json()


def list_workflows(request: HttpRequest) -> dict[str, Any]:
    """The workflows that can be started."""
    return {"items": json.loads(rest_starting.list_all(request).content)}


def start_workflow(
    request: HttpRequest,
    workflow: Workflow,
    reason: Reason,
    parameters: Parameters = {},  # noqa: B006 - it is not changed
    namespace: Namespace = "",
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Ask for an execution of a workflow, once every agent that it needs is ready. Needs an operator, and the service
    mode: in the embedded mode the answer says how to start it."""
    wanted = rest_starting.Start(
        workflow=workflow, reason=reason, parameters=parameters, namespace=namespace, dry_run=dry_run
    )
    return _object(rest_starting.start(request, wanted).content)


def retry_slices(
    request: HttpRequest,
    run: RunId,
    reason: Reason,
    slices: Slices = [],  # noqa: B006 - it is not changed
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Have slices of an open run tried once more that failed or expired. Needs an operator."""
    wish = rest_writing.Retry(slices=slices, reason=reason, dry_run=dry_run)
    return _object(rest_writing.retry(request, run, wish).content)


def _object(content: bytes) -> dict[str, Any]:
    found = json.loads(content)
    assert isinstance(found, dict)
    return found
