"""An execution at a glance: its run, agents, alarms, errors and latest events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, only
from swf.epic.usecases.runs import RunDetail, show_run
from swf.service.queries.agents import AGENTS, AgentLine
from swf.service.queries.alarms import ACKNOWLEDGED, ALARMS, RAISED, AlarmLine
from swf.service.queries.dead_letters import LETTERS, OPEN, Letter
from swf.service.queries.events import EVENTS, EventLine
from swf.service.queries.executions import EXECUTIONS, ExecutionLine, execution_row
from swf.service.queries.logs import LOGS, LogLine
from swf.store.filters import Value
from swf.store.listing import Listing, Question

Line = TypeVar("Line")

SHOWN: Final = 20
"""So many of each at most; lists have the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowMonitor(Shown):
    """An execution at a glance: its run with its figures (None before it is announced), the agents of its namespace,
    alarms that are not cleared, messages of it that wait for a decision, its latest errors and its latest events."""

    execution: ExecutionLine
    run: RunDetail | None
    agents: tuple[AgentLine, ...]
    alarms: tuple[AlarmLine, ...]
    dead_letters: tuple[Letter, ...]
    errors: tuple[LogLine, ...]
    events: tuple[EventLine, ...]


def workflow_monitor(name: str, scene: Scene) -> WorkflowMonitor:
    """An execution at a glance.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = execution_row(name, scene)
    (line,) = EXECUTIONS.lines([row], scene)
    here = Scene(now=scene.now, process=scene.process, namespaces=only(row.namespace))
    letters: dict[str, Value] = {"state": ",".join(OPEN)}
    if row.run_number is not None:
        letters["run"] = row.run_number
    return WorkflowMonitor(
        execution=line,
        run=None if row.run_number is None else _run(row.run_number, here),
        agents=_some(AGENTS, {"status": "OK,WARNING,ERROR"}, here),
        alarms=_some(ALARMS, {"state": f"{RAISED},{ACKNOWLEDGED}"}, here),
        dead_letters=_some(LETTERS, letters, here) if row.run_number is not None else (),
        errors=_some(LOGS, {"execution": name, "level": "ERROR,CRITICAL"}, here),
        events=_some(EVENTS, {"execution": name}, here),
    )


def _run(run_number: int, scene: Scene) -> RunDetail | None:
    try:
        return show_run(run_number, scene)
    except UnknownNameError:  # it is not announced yet
        return None


def _some(listing: Listing[Any, Line], filters: dict[str, Value], scene: Scene) -> tuple[Line, ...]:
    return listing.page(Question(filters=filters, limit=SHOWN), scene).items
