"""A whole run over a real broker that is killed in its midst: DAQ, data, fastmon, fast_processing and worker, with the
relay, on SQLite, in one process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.activemq import NEEDED, ActiveMq, installed
from services.stomp_bus import PATIENCE_S
from swf.config import Override, Sources, WorkflowRegistry
from swf.core.ids import Uuid7Source
from swf.core.times import SystemClock
from swf.epic.accounting import ledger_of
from swf.epic.launch import EpicExecution
from swf.epic.models import RunState, StfFile, TfSlice
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.messaging.relay import Relay
from swf.service.executions import start_execution
from swf.service.io_pool import IoPool
from swf.service.logs import LogSink
from swf.service.platform import Platform
from swf.service.workspace import Workspace
from swf.store.models import Attempt, DeadLetter, Event, OutboxMessage

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.messaging.stomp import StompBus

pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)

STFS, SLICES = 40, 5
SETTINGS = {
    "testbed.namespace": "torre1",
    "fast_processing.stf_count": STFS,
    "fast_processing.slices_per_sample": SLICES,
    "simulation.realtime": False,
    "stf.content": "none",
    "payload.name": "noop",
}


class Process:
    """What a process in service mode does, with all agents in it."""

    def __init__(self, folder: Path, bus: StompBus, wake: threading.Event) -> None:
        overrides = tuple(Override(key=key, value=value, flag="test") for key, value in SETTINGS.items())
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
            namespace="torre1",
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

    def step(self) -> None:
        """One round; where nothing was to do, wait for a reason to go on."""
        assert self._clock.monotonic() < self._deadline, ledger_of(self.epic.run_number)
        self.wake.clear()
        worked = self.epic.loop.step()
        if not (self.relay.step() or worked):
            self.wake.wait(0.05)

    def close(self) -> None:
        self.epic.close()
        self.io.close()
        self.sink.close()


@contextmanager
def process(folder: Path, broker: ActiveMq) -> Iterator[Process]:
    wake = threading.Event()
    with StompBus(broker.settings(), on_ready=wake.set) as bus:
        made = Process(folder, bus, wake)
        try:
            yield made
        finally:
            made.close()


@pytest.mark.parametrize("kills", [1, 3])
def test_a_run_comes_to_a_complete_ledger_though_its_broker_is_killed(store: Path, tmp_path: Path, kills: int) -> None:
    with ActiveMq(tmp_path / "broker") as broker, process(tmp_path / "data", broker) as here:
        with ThreadPoolExecutor(1) as elsewhere:
            for kill in range(kills):
                while _completed() < STFS * SLICES * (kill + 1) / (kills + 2):
                    here.step()
                assert not here.epic.closed()
                broker.kill()
                started = elsewhere.submit(broker.start)
                while not started.done():
                    here.step()
                started.result()
        while not here.epic.closed() or OutboxMessage.objects.exists():
            here.step()
        run = here.epic.run_number
        ledger = ledger_of(run)
        assert ledger.balanced
        assert ledger.complete
        assert (ledger.produced, ledger.registered, ledger.missing) == (STFS, STFS, 0)
        assert TfSlice.objects.filter(run_number=run, status="completed").count() == STFS * SLICES
        assert StfFile.objects.filter(run=run).count() == STFS
        # Nothing was done twice: one attempt with one result for each slice.
        assert Attempt.objects.filter(run_number=run, outcome="ok").count() == STFS * SLICES
        assert not DeadLetter.objects.exists()
        sent = Event.objects.filter(run_number=run, kind="message")
        assert sent.filter(type="stf_gen").count() == sent.filter(type="stf_ready").count() == STFS
        assert sent.filter(type="slice_result").count() == STFS * SLICES
        # The broker has nothing left for anybody, nor put anything aside.
        with broker.client() as client:
            queues = [
                *(f"Consumer.torre1-{role}.epictopic" for role in ("data", "fastmon", "fast_processing")),
                "torre1.panda.transformer.slices",
                "torre1.panda.results.fastprocessing",
            ]
            for queue in queues:
                while client.statistics(queue)["size"]:
                    here.step()
                assert client.statistics(f"DLQ.{queue}") == {}


def _completed() -> int:
    return sum(RunState.objects.values_list("slices_completed", flat=True))
