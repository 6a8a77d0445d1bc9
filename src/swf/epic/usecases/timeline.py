"""What happened to a run, in order: the DAQ's states and the moves of the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.epic.usecases.daq_states import DAQ_STATES
from swf.epic.usecases.lookup import find_run
from swf.service.queries.events import EVENTS
from swf.store.listing import Question

MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Shown):
    """Something that happened: `kind` is state (of the DAQ) or run; `seq` is its number in the event log, if it is in
    it."""

    at: datetime
    kind: str
    text: str
    by: str
    seq: int | None


def timeline(run_number: int, scene: Scene) -> tuple[Moment, ...]:
    """The latest of what happened to a run, in order.

    Raises:
        UnknownNameError: there is no such run.
    """
    find_run(run_number, scene.namespaces)
    states = DAQ_STATES.page(Question(filters={"run": run_number}, limit=MOST), scene).items
    moves = EVENTS.page(Question(filters={"subject": f"run {run_number}"}, limit=MOST), scene).items
    moments = [
        *(
            Moment(at=line.at, kind="state", text=f"{line.state} / {line.substate}", by=line.trigger, seq=None)
            for line in reversed(states)
        ),
        *(
            Moment(at=line.at, kind="run", text=_said(line.type, line.body), by=line.sender, seq=line.seq)
            for line in reversed(moves)
        ),
    ]
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _said(name: str, body: dict[str, object]) -> str:
    """A move in words."""
    words = name.replace("_", " ")
    if "from" in body and "to" in body:
        note = f" ({body['note']})" if body.get("note") else ""
        return f"{words}: {body['from']} to {body['to']}{note}"
    return words
