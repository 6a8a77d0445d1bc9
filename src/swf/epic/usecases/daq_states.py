"""The history of the DAQ's state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.epic.models import DaqStateEvent
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter, instant
from swf.store.listing import Listing, both


@dataclass(frozen=True, slots=True, kw_only=True)
class DaqStateLine(Shown):
    """A change of the DAQ's state. `revision` grows by one with each change in a namespace; `simulated_s` are simulated
    seconds since the DAQ's script began."""

    id: int
    namespace: str
    revision: int
    run: int | None
    trigger: str
    state: str
    substate: str
    simulated_s: float
    at: datetime


def _lines(rows: Sequence[DaqStateEvent], scene: Scene) -> list[DaqStateLine]:
    return [
        DaqStateLine(
            id=row.pk,
            namespace=row.namespace,
            revision=row.revision,
            run=row.run_number,
            trigger=row.trigger,
            state=row.state,
            substate=row.substate,
            simulated_s=row.simulation_tick,
            at=row.at,
        )
        for row in rows
    ]


DAQ_STATES = Listing(
    name="daq-states",
    text="Changes of the DAQ's state, the newest first.",
    rows=DaqStateEvent.objects.all,
    lines=_lines,
    line=DaqStateLine,
    filters={
        "namespace": of_namespace(),
        "run": of_run(),
        "state": Filter(text="To this state.", lookup="state"),
        "since": instant("At this instant or later.", "at__gte"),
        "until": instant("Before this instant.", "at__lt"),
    },
    orders=both("id"),
)
