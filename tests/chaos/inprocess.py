"""An execution in the process of the test, which can die at an effect boundary and be started again.

For showing that the checker finds defects, which are put into the program by patching it. What a process does when it
dies is done here by an exception that nothing catches: the transaction is rolled back, and all objects are left.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from swf.config import Sources, WorkflowRegistry, parse_override
from swf.core.payload import PayloadSpec
from swf.epic.composition import EpicAgents
from swf.epic.launch import EpicExecution
from swf.service import executions, platform
from swf.service.instrument import instruments
from swf.service.workspace import Workspace
from swf.store.models import WorkflowExecution
from swf.workload.inline import InlinePool

SETTINGS: Final = (
    "stf.tf_count=30",
    "stf.seed=7",
    "fast_processing.stf_count=3",
    "fast_processing.slices_per_sample=3",
    "simulation.realtime=false",
)

_IDLE_LOOKS: Final = 60
_IDLE_S: Final = 0.05
_MOST_STEPS: Final = 20_000


def inline_pool(agents: EpicAgents, spec: PayloadSpec, number: int) -> InlinePool:
    """Stands for `EpicAgents._pool` and starts no process: what is patched here is not patched there."""
    return InlinePool(spec, clock=agents.platform.clock, on_ready=agents.platform.wake.set)


class DiedError(BaseException):
    """The process ends here. Not an Exception: nothing in the program may catch it."""


class Host:
    """Lives of a process, one after the other, in one data directory whose store is open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._workspace = Workspace(root=root)
        self._workspace.create()
        self._kill_at = ""
        self._passages: dict[str, int] = {}

    def live(self, die_at: str = "") -> bool:
        """One life: until the run is closed, or nothing moves any more, or it dies at `name:n`. Whether it is done."""
        self._kill_at, self._passages = die_at, {}
        try:
            return self._run()
        except DiedError:
            return False

    def _run(self) -> bool:
        found = instruments()
        registry = WorkflowRegistry(
            kinds=[kind for each in found for kind in each.kinds],
            shipped=[each.workflows for each in found],
            sources=Sources(overrides=tuple(parse_override(text) for text in SETTINGS)),
        )
        workflow = registry.find("fast_processing")
        configuration = registry.load(workflow)
        with platform.embedded(self._workspace, "testbed", "chaos", app_name="chaos", boundary=self._boundary) as here:
            execution = WorkflowExecution.objects.first() or executions.start_execution(
                configuration, workflow.path, "chaos", here.clock
            )
            epic = EpicExecution(here, configuration, execution)
            epic.resume()
            done = _until_done(epic, here.wake)
            epic.close()
            if done:
                executions.set_status(execution, executions.Status.COMPLETED, here.clock)
            return done

    def _boundary(self, name: str) -> None:
        if threading.current_thread() is threading.main_thread():
            self._passages[name] = self._passages.get(name, 0) + 1
            if f"{name}:{self._passages[name]}" == self._kill_at:
                raise DiedError(name)


def _until_done(epic: EpicExecution, wake: threading.Event) -> bool:
    idle = 0
    for _ in range(_MOST_STEPS):
        wake.clear()
        worked = epic.loop.step()
        if epic.closed():
            return True
        if worked:
            idle = 0
            continue
        idle += 1
        if idle > _IDLE_LOOKS:
            return False
        wake.wait(_IDLE_S)
    return False
