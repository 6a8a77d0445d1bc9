"""The particle-physics agents on a real store and bus, with a DAQ, a clock and identities that the test decides."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from swf.config import Configuration, Override, Sources, WorkflowRegistry
from swf.core.codec import encode
from swf.core.errors import PayloadError
from swf.core.ids import CountingIds
from swf.core.messages import Body, Envelope
from swf.core.payload import PayloadJob, PayloadSpec
from swf.core.times import ManualClock
from swf.epic.agents.worker import Workbench, worker_agent
from swf.epic.composition import EpicAgents
from swf.epic.messages import (
    EPIC_TOPIC,
    EndRun,
    PauseRun,
    ResumeRun,
    RunImminent,
    StartRun,
    StfGen,
)
from swf.epic.names import stf_name
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.messaging.bus import Bus, Delivery, Subscription, Wire
from swf.messaging.embedded import EmbeddedBus
from swf.messaging.memory import MemoryBus
from swf.messaging.relay import Relay
from swf.messaging.runtime import Runtime
from swf.service.executions import start_execution
from swf.service.io_pool import IoPool
from swf.service.logs import LogSink
from swf.service.platform import Platform
from swf.service.workspace import Workspace
from swf.store.models import DeadLetter, WorkflowExecution
from swf.workload.inline import InlinePool
from swf.workload.shelf import Shelf

ROLES = ("data", "fastmon", "fast_processing", "worker")
IO_OWNERS = ("verify", "sample", "worker")
NAMESPACE = "testbed"
RUN = 100010


def good(job: PayloadJob) -> dict[str, object]:
    """A payload that finds three hits in each TF."""
    return {"hits_found": 3 * (job.last - job.first + 1)}


def fails(job: PayloadJob) -> dict[str, object]:
    """A payload that never succeeds."""
    raise PayloadError(f"no luck with {job.slice}")


def fails_at_first(job: PayloadJob) -> dict[str, object]:
    """A payload that succeeds at the third attempt, whose number is in the output's name."""
    if job.output.stem.endswith(("_a1", "_a2")):
        raise PayloadError("not yet")
    return good(job)


def fails_until_asked(job: PayloadJob) -> dict[str, object]:
    """A payload that fails as often as it is tried by itself, and succeeds after that."""
    return good(job) if job.output.stem.endswith("_a5") else fails(job)


def fails_for_one(job: PayloadJob) -> dict[str, object]:
    """A payload that never succeeds with one slice."""
    return fails(job) if "000001_slice_001" in job.slice else good(job)


class UnrulyBus(MemoryBus):
    """A broker that gives every message twice, and in any order within a window."""

    def __init__(self, seed: int, window: int = 100, copies: int = 2) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._window = window
        self._copies = copies

    def publish(self, messages: Sequence[Wire]) -> None:
        super().publish([wire for wire in messages for _ in range(self._copies)])

    def receive(self, subscription: Subscription, limit: int) -> list[Delivery]:
        for waiting in self._waiting.values():
            head = [waiting.popleft() for _ in range(min(self._window, len(waiting)))]
            self._random.shuffle(head)
            waiting.extendleft(reversed(head))
        return super().receive(subscription, limit)


@dataclass(slots=True, kw_only=True)
class Daq:
    """A DAQ of a run that a test plays: each method gives the next notice, to be sent."""

    bench: EpicBench
    run: int = RUN
    execution_id: str | None = None
    notices: list[Body] = field(default_factory=list)

    def imminent(self, **changes: Any) -> RunImminent:
        return RunImminent(**self._common("run", "not_ready"), simulated=True, **changes)

    def start(self) -> StartRun:
        return StartRun(**self._common("run", "physics"))

    def stf(self, sequence: int, **changes: Any) -> StfGen:
        facts: dict[str, Any] = {
            **self._common("run", "physics"),
            "filename": stf_name(self.run, sequence),
            "sequence": sequence,
            "tf_count": 100,
            "tf_first": 100 * (sequence - 1),
            "size_bytes": 0,
            "checksum": "0" * 8,
            "sha256": "0" * 64,
            "has_content": False,
            "simulated": True,
        }
        return StfGen(**facts | changes)

    def pause(self) -> PauseRun:
        return PauseRun(**self._common("run", "standby"))

    def resume(self) -> ResumeRun:
        return ResumeRun(**self._common("run", "physics"))

    def end(self, produced: int, ended_by: str = "") -> EndRun:
        return EndRun(**self._common("beam", "not_ready"), total_stf_files=produced, ended_by=ended_by)

    def whole_run(self, stfs: int) -> list[Body]:
        """Every notice of a run, with a pause in its midst."""
        half = stfs // 2
        return [
            self.imminent(workflow_params={"target_worker_count": 30}),
            self.start(),
            *(self.stf(n) for n in range(1, half + 1)),
            self.pause(),
            self.resume(),
            *(self.stf(n) for n in range(half + 1, stfs + 1)),
            self.end(stfs),
        ]

    def _common(self, state: str, substate: str) -> dict[str, Any]:
        return {"run_id": self.run, "execution_id": self.execution_id, "state": state, "substate": substate}


class EpicBench:
    """All agents but the DAQ, in this process. `close` it, or use it as a context manager."""

    def __init__(
        self,
        folder: Path,
        bus: str | MemoryBus = "memory",
        *,
        payload: Callable[..., Any] = good,
        roles: Iterable[str] = ROLES,
        namespace: str = NAMESPACE,
        clock: ManualClock | None = None,
        ids: CountingIds | None = None,
        **settings: object,
    ) -> None:
        self.clock = clock or ManualClock()
        self.ids = ids or CountingIds()
        self.namespace = namespace
        self.workspace = Workspace(root=folder)
        self.workspace.create()
        self.configuration = _configuration({"testbed.namespace": namespace, "payload.name": "noop"} | settings)
        self._roles = tuple(roles)
        self._payload = PayloadSpec(
            name="bench", entry_point=f"epic_bench:{payload.__name__}", expects_output=False, version="1"
        )
        self._memory = bus if isinstance(bus, MemoryBus) else MemoryBus()
        self._kind = "memory" if isinstance(bus, MemoryBus) else bus
        self._stack = ExitStack()
        self._sent = 0
        self.start()

    def __enter__(self) -> EpicBench:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """A process starts: agents, runtimes and connections are made anew; the store and the broker stay."""
        self.bus: Bus = EmbeddedBus(self.clock) if self._kind == "embedded" else self._memory
        self._memory.redeliver()
        self.io = IoPool(1, lambda: None)
        sink = LogSink(self.workspace.logs / "bench.log", "bench", self.clock)
        self._stack.callback(sink.close)
        self._stack.callback(self.io.close)
        platform = Platform(
            workspace=self.workspace,
            namespace=self.namespace,
            user="ann",
            clock=self.clock,
            ids=self.ids,
            bus=self.bus,
            io=self.io,
            wake=threading.Event(),
            sink=sink,
            scratch=self.workspace.scratch,
            boundary=lambda name: None,
        )
        self.agents = EpicAgents(platform, self.configuration)
        self.worker = Workbench(
            shelf=Shelf(lambda spec, number: InlinePool(spec, clock=self.clock, on_ready=lambda: None)),
            payload_of=lambda run_number: self._payload,
            queues=self.agents.queues,
            lease_of=lambda run_number: 900.0,
            slots=4,
            files=self.agents.files,
            products=self.workspace.products,
            io=self.io,
            clock=self.clock,
        )
        self.runtimes: dict[str, Runtime] = {
            role: self.agents.runtime(worker_agent(self.worker) if role == "worker" else self.agents.agent(role))
            for role in self._roles
        }
        self.relay = Relay(self.bus, [runtime.identity.name for runtime in self.runtimes.values()], self.clock)

    def kill(self) -> None:
        """The process is gone with all that it held in memory."""
        self.close()
        self._stack = ExitStack()

    def close(self) -> None:
        """End the threads and the log."""
        self._stack.close()

    def execution(self) -> WorkflowExecution:
        """A new execution of the workflow that the bench is configured for."""
        definition = SHIPPED_WORKFLOWS / "fast_processing_default.toml"
        return start_execution(self.configuration, definition, "ann", self.clock)

    def daq(self, run: int = RUN, execution_id: str | None = None) -> Daq:
        """A DAQ of a new run of a new execution, or of the one that is named."""
        return Daq(bench=self, run=run, execution_id=execution_id or self.execution().execution_id)

    def wire(self, body: Body, destination: str = EPIC_TOPIC, *, sender: str = "daq-agent-ann-1") -> Wire:
        """A message of the DAQ, or of another peer."""
        self._sent += 1
        envelope = Envelope(
            message_id=UUID(int=(7 << 76) | (2 << 62) | (1 << 40) | self._sent),
            namespace=self.namespace,
            sender=sender,
            sender_seq=self._sent,
            created_at=self.clock.now(),
        )
        return Wire(
            message_id=envelope.message_id,
            namespace=self.namespace,
            destination=destination,
            msg_type=body.msg_type,
            run_number=body.run_id,
            body=encode(envelope, body),
        )

    def send(self, *bodies: Body, destination: str = EPIC_TOPIC) -> None:
        """Send what a peer says, in this order."""
        self.bus.publish([self.wire(body, destination) for body in bodies])

    def step(self) -> bool:
        """One round of all agents, and of the threads and the relay."""
        worked = [runtime.step() for runtime in self.runtimes.values()]
        for owner in IO_OWNERS:
            self.io.wait(owner)
        if not self.bus.shares_database:
            worked.append(self.relay.step())
        return any(worked) or any(self.io.running(owner) for owner in IO_OWNERS)

    def run(self, seconds: float = 3.0) -> None:
        """Go on until nothing is left to do, and nothing comes of waiting so many seconds; retries are waited for."""
        waited = 0.0
        rounds = 0
        while waited < seconds or DeadLetter.objects.filter(state=DeadLetter.State.RETRYING).exists():
            while self.step():
                rounds += 1
                assert rounds < 100_000, "there is always something left to do"
            self.clock.advance(0.5)
            waited += 0.5
            assert waited < 1000


def _configuration(settings: dict[str, object]) -> Configuration:
    overrides = tuple(Override(key=key.replace("__", "."), value=value, flag="test") for key, value in settings.items())
    registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=Sources(overrides=overrides))
    return registry.load(registry.find("fast_processing"))
