"""All agents of an execution in the process of the test, over a real broker: lives of it, one after the other.

What a fault on a wire meets is the same as in a process per agent: the runtimes, the relay, the bus and the database.
That a process dies is an exception that nothing catches; that a machine or a process really ends is for the scenarios
with processes.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from inprocess import DiedError

from swf.config import Override, Sources, WorkflowRegistry
from swf.core.effects import prefixed
from swf.core.ids import Uuid7Source
from swf.core.times import Clock, SystemClock
from swf.epic.launch import EpicExecution
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.messaging.bus import Bus
from swf.messaging.relay import Relay
from swf.messaging.settings import BusSection
from swf.messaging.stomp import StompBus
from swf.service import executions
from swf.service.io_pool import IoPool
from swf.service.logs import LogSink
from swf.service.loop import Patient
from swf.service.platform import Platform
from swf.service.workspace import Workspace
from swf.store.models import OutboxMessage, WorkflowExecution
from swf.store.sequencer import Sequencer

MESSAGES_ONLY: Final[Mapping[str, object]] = {
    "stf.content": "none",
    "payload.name": "noop",
    "simulation.realtime": False,
}
"""A run without content of files, for faults that are about messages."""

FILES: Final[Mapping[str, object]] = {
    "stf.tf_count": 30,
    "stf.seed": 7,
    "fast_processing.stf_count": 3,
    "fast_processing.slices_per_sample": 3,
    "simulation.realtime": False,
}
"""A short run with files, always the same."""

PATIENCE_S: Final = 60.0
"""A life in which nothing happens for so long is ended: it will not be done. Only a defect lets a test wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run, and where: `root` is the data directory, whose store is open."""

    root: Path
    broker: BusSection
    namespace: str
    settings: Mapping[str, object]
    around: Callable[[StompBus], Bus] = lambda bus: bus
    """Puts something between the bus and who uses it."""
    clock: Clock = field(default_factory=SystemClock)
    patience_s: float = PATIENCE_S


class Life:
    """One life of the process: `step` until it is `done`."""

    def __init__(self, plan: Plan, bus: StompBus, wake: threading.Event, die_at: str) -> None:
        self.plan, self.bus, self.wake = plan, bus, wake
        self._die_at = die_at
        self._passages: dict[str, int] = {}
        clock = plan.clock
        given = {"testbed.namespace": plan.namespace, **plan.settings}
        overrides = tuple(Override(key=key, value=value, flag="test") for key, value in given.items())
        registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=Sources(overrides=overrides))
        workflow = registry.find("fast_processing")
        self.configuration = registry.load(workflow)
        workspace = Workspace(root=plan.root)
        workspace.create()
        self.sink = LogSink(workspace.logs / "chaos.log", "chaos", clock)
        self.io = IoPool(2, wake.set)
        port = plan.around(bus)
        self.platform = Platform(
            workspace=workspace,
            namespace=plan.namespace,
            user="chaos",
            clock=clock,
            ids=Uuid7Source(clock),
            bus=port,
            io=self.io,
            wake=wake,
            sink=self.sink,
            scratch=workspace.scratch,
            boundary=self._boundary,
        )
        self.execution = WorkflowExecution.objects.first() or executions.start_execution(
            self.configuration, workflow.path, "chaos", clock
        )
        self.epic = EpicExecution(self.platform, self.configuration, self.execution)
        self.epic.resume()
        senders = [runtime.identity.name for runtime in self.epic.runtimes.values()]
        self.relay = Relay(port, senders, clock, boundary=prefixed("relay", self._boundary))
        log = self.sink.logger("chaos")
        self._relay = Patient(self.relay.step, clock, log, "relay")
        self._done = Patient(self._is_done, clock, log, "the end")
        self._idle_s = 0.0

    @property
    def done(self) -> bool:
        """Whether the run is closed, and everything that was said has arrived and is acknowledged."""
        return self._done.step()

    @property
    def given_up(self) -> bool:
        """Whether nothing has happened for longer than anybody should wait."""
        return self._idle_s > self.plan.patience_s

    def step(self) -> None:
        """One round; where nothing was to do, wait for a reason to go on."""
        self.wake.clear()
        worked = self.epic.loop.step()
        if self._relay.step() or worked:
            self._idle_s = 0.0
            return
        began = self.plan.clock.monotonic()
        self.wake.wait(0.02)
        self._idle_s += self.plan.clock.monotonic() - began

    def close(self) -> None:
        """End the threads and the log."""
        self.io.close()
        self.sink.close()

    def _is_done(self) -> bool:
        if not self.epic.closed() or OutboxMessage.objects.exists():
            return False
        return not any(subscription.unacknowledged for subscription in self.bus.status().subscriptions)

    def _boundary(self, name: str) -> None:
        if threading.current_thread() is threading.main_thread():
            self._passages[name] = self._passages.get(name, 0) + 1
            if f"{name}:{self._passages[name]}" == self._die_at:
                raise DiedError(name)


@contextmanager
def life(plan: Plan, *, die_at: str = "", chance: Callable[[], float] = random.random) -> Iterator[Life]:
    """A life of the process. At its end the connections to the broker are closed."""
    wake = threading.Event()
    with StompBus(plan.broker, on_ready=wake.set, chance=chance) as bus:
        here = Life(plan, bus, wake, die_at)
        try:
            yield here
        finally:
            here.close()


def live(plan: Plan, *, die_at: str = "", meanwhile: Callable[[Life], bool] = lambda here: True) -> bool:
    """One life: until everything is done, or nobody should wait any longer, or it dies at `name:n`. Whether it is done.

    `meanwhile` is called once in each round, and tells whether the run may be done for all that it has in mind.
    """
    try:
        with life(plan, die_at=die_at) as here:
            while not (meanwhile(here) and here.done):
                if here.given_up:
                    return False
                here.step()
            here.epic.close()
            executions.set_status(here.execution, executions.Status.COMPLETED, plan.clock)
            Sequencer(plan.clock).drain()
            return True
    except DiedError:
        return False
