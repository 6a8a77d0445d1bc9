"""The state of the machine: the DAQ, and how full its exit buffer is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum

from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.epic.buffer_keeper import policy_of
from swf.epic.models import DaqStateEvent, StfFile
from swf.epic.settings_daq import ExitBufferSection
from swf.store.listing import in_sight
from swf.store.models import WorkflowExecution


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine(Shown):
    """The DAQ's last state, and its exit buffer: what the STFs in it take, and the capacity that the latest execution
    gives it; None where nothing was ever run."""

    namespace: str
    daq_state: str
    daq_substate: str
    since: datetime | None
    run: int | None
    buffer_files: int
    buffer_bytes: int
    buffer_capacity_bytes: int | None

    @property
    def buffer_share(self) -> float | None:
        """How full the exit buffer is, from 0 to 1."""
        return self.buffer_bytes / self.buffer_capacity_bytes if self.buffer_capacity_bytes else None


def machine(scene: Scene) -> Machine:
    """The machine as it was last heard of."""
    last = in_sight(DaqStateEvent.objects.order_by("-id"), scene.namespaces).first()
    latest = in_sight(WorkflowExecution.objects.order_by("-start_time"), scene.namespaces)
    values = latest.values_list("parameter_values", flat=True).first()
    held = in_sight(StfFile.objects.filter(removed_at=None, has_content=True), scene.namespaces).order_by()
    found = held.aggregate(files=Count("*"), size_bytes=Sum("size_bytes"))
    capacity = None
    if values is not None:
        section = ExitBufferSection.model_validate(values.get("exit_buffer", {}))
        capacity = policy_of(section).capacity_bytes
    return Machine(
        namespace=last.namespace if last else "",
        daq_state=last.state if last else "",
        daq_substate=last.substate if last else "",
        since=last.at if last else None,
        run=last.run_number if last else None,
        buffer_files=found["files"],
        buffer_bytes=int(found["size_bytes"] or 0),
        buffer_capacity_bytes=capacity,
    )
