"""What a process in service mode does, with all agents of an execution in it: for tests with a real broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from services.activemq import ActiveMq
from services.stomp_bus import PATIENCE_S
from swf.config import Override, Sources, WorkflowRegistry
from swf.core.ids import Uuid7Source
from swf.core.times import SystemClock
from swf.epic.accounting import ledger_of
from swf.epic.launch import EpicExecution
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.messaging.relay import Relay
from swf.messaging.stomp import StompBus
from swf.service.executions import start_execution
from swf.service.io_pool import IoPool
from swf.service.logs import LogSink
from swf.service.platform import Platform
from swf.service.workspace import Workspace

NAMESPACE = "torre1"


class Process:
    """The agents of one execution of fast processing, and the relay."""

    def __init__(self, folder: Path, bus: StompBus, wake: threading.Event, settings: Mapping[str, object]) -> None:
        given = {"testbed.namespace": NAMESPACE, **settings}
        overrides = tuple(Override(key=key, value=value, flag="test") for key, value in given.items())
        registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=Sources(overrides=overrides))
        workflow = registry.find("fast_processing")
        configuration = registry.load(workflow)
        clock = SystemClock()
        workspace = Workspace(root=folder)
        workspace.create()
        self.sink = LogSink(workspace.logs / "test.log", "test", clock)
        self.io = IoPool(2, wake.set)
        self.wake = wake
        platform = Platform(
            workspace=workspace,
            namespace=NAMESPACE,
            user="ann",
            clock=clock,
            ids=Uuid7Source(clock),
            bus=bus,
            io=self.io,
            wake=wake,
            sink=self.sink,
            scratch=workspace.scratch,
            boundary=lambda name: None,
        )
        execution = start_execution(configuration, workflow.path, "ann", clock)
        self.epic = EpicExecution(platform, configuration, execution)
        self.relay = Relay(bus, [runtime.identity.name for runtime in self.epic.runtimes.values()], clock)
        self._clock = clock
        self._deadline = clock.monotonic() + 4 * PATIENCE_S

    def until(self, holds: Callable[[], bool]) -> None:
        """Go on until something is so."""
        while not holds():
            self.step()

    def step(self) -> None:
        """One round; where nothing was to do, wait for a reason to go on."""
        assert self._clock.monotonic() < self._deadline, ledger_of(self.epic.run_number)
        self.wake.clear()
        worked = self.epic.loop.step()
        if not (self.relay.step() or worked):
            self.wake.wait(0.05)

    def close(self) -> None:
        """End the threads and the log."""
        self.epic.close()
        self.io.close()
        self.sink.close()


@contextmanager
def process(folder: Path, broker: ActiveMq, settings: Mapping[str, object]) -> Iterator[Process]:
    """Such a process, connected to a broker."""
    wake = threading.Event()
    with StompBus(broker.settings(), on_ready=wake.set) as bus:
        made = Process(folder, bus, wake, settings)
        try:
            yield made
        finally:
            made.close()
