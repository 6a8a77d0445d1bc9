"""Of which namespace a run, an execution or an agent is: filters that name one."""

from __future__ import annotations

from swf.store.filters import Filter, number
from swf.store.models import Run, SystemAgent, WorkflowExecution


def namespace_of_run(run_number: int) -> str | None:
    """The namespace of a run; None where there is none of that number."""
    found = Run.objects.filter(pk=run_number).values_list("namespace", flat=True).first()
    return found or WorkflowExecution.objects.filter(run_number=run_number).values_list("namespace", flat=True).first()


def namespace_of_execution(name: str) -> str | None:
    """The namespace of an execution; None where there is none of that name."""
    return WorkflowExecution.objects.filter(pk=name).values_list("namespace", flat=True).first()


def namespace_of_agent(name: str) -> str | None:
    """The namespace of an agent; None where there is none of that name."""
    return SystemAgent.objects.filter(pk=name).values_list("namespace", flat=True).first()


def of_run(lookup: str = "run_number") -> Filter:
    """The filter by a run."""
    return number("Of this run.", lookup, namespace_of_run)


def of_execution(lookup: str = "execution_id") -> Filter:
    """The filter by an execution."""
    return Filter(text="Of this execution.", lookup=lookup, namespace_of=namespace_of_execution)


def of_namespace(lookup: str = "namespace") -> Filter:
    """The filter by a namespace."""
    return Filter(text="Of this namespace.", lookup=lookup)
