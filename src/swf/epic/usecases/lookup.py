"""Finding runs, executions and files by name, and saying what is near when there is none."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar

from swf.core.errors import UnknownNameError
from swf.core.messages import MAX_RUN
from swf.core.scene import EVERYWHERE, Namespaces, here, sees
from swf.store.listing import in_sight
from swf.store.models import Dataset, Run, SystemAgent, WorkflowExecution


class Namespaced(Protocol):
    """A row that belongs to a namespace."""

    namespace: Any


R = TypeVar("R", bound=Namespaced)

NO_RUN_YET = "no run was taken yet; take one with: testbed run fast_processing"

_LATEST = 500
"""Names are compared with this many of the latest ones of a kind."""


def parse_run_number(text: str) -> int:
    """A run number as a person writes it.

    Raises:
        UnknownNameError: it is none.
    """
    if text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= MAX_RUN:
        return int(text)
    raise UnknownNameError(
        f"{text[:80]!r} is not a run number: expected a whole number from 1 to {MAX_RUN}; "
        "list the runs with: testbed runs list"
    )


def find_run(number: int, namespaces: Namespaces = EVERYWHERE) -> Run:
    """The row of a run.

    Raises:
        UnknownNameError: there is no such run that may be seen, or it is not announced yet.
    """
    run = Run.objects.filter(pk=number).first()
    if run is not None and sees(namespaces, run.namespace):
        return run
    execution = WorkflowExecution.objects.filter(run_number=number).first()
    if run is None and execution is not None and sees(namespaces, execution.namespace):
        raise UnknownNameError(
            f"run {number} is not announced yet: its execution {execution.execution_id} is {execution.status}; "
            f"see: testbed runs explain {execution.execution_id}"
        )
    raise UnknownNameError(f"there is no run {number} {here(namespaces)}; {_latest_runs(number, namespaces)}")


def execution_of(run: Run) -> WorkflowExecution | None:
    """The execution that takes a run; None where it is not known here."""
    return execution_named(run.execution_id) if run.execution_id else None


def execution_named(name: str) -> WorkflowExecution | None:
    """The execution of that name, with its definition."""
    return WorkflowExecution.objects.select_related("workflow_definition").filter(pk=name).first()


def seen_by(row: R | None, namespaces: Namespaces) -> R | None:
    """`row`, if it may be seen."""
    return row if row is not None and sees(namespaces, row.namespace) else None


def near_names(name: str, namespaces: Namespaces = EVERYWHERE) -> list[str]:
    """Names that may be seen and look like `name`, the nearest first."""
    return get_close_matches(name, list(_known_names(namespaces)), n=3)


def _known_names(namespaces: Namespaces) -> Iterable[str]:
    yield from (str(n) for n in _run_numbers(namespaces))
    executions = in_sight(WorkflowExecution.objects.order_by("-start_time"), namespaces)
    yield from executions.values_list("execution_id", flat=True)[:_LATEST]
    agents = in_sight(SystemAgent.objects.order_by("instance_name"), namespaces)
    yield from agents.values_list("instance_name", flat=True)[:_LATEST]
    yield from in_sight(Dataset.objects.order_by("-id"), namespaces).values_list("name", flat=True)[:_LATEST]


def _run_numbers(namespaces: Namespaces) -> Iterable[int]:
    runs = in_sight(Run.objects.order_by("-run_number"), namespaces)
    return runs.values_list("run_number", flat=True)[:_LATEST]


def _latest_runs(number: int, namespaces: Namespaces) -> str:
    numbers = [str(n) for n in _run_numbers(namespaces)]
    if not numbers:
        return NO_RUN_YET
    near = get_close_matches(str(number), numbers, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}the latest: {', '.join(numbers[:5])}"
