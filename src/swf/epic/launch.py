"""Composition of a particle-physics execution in one process: from configuration to agents, runtimes and the loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from swf.catalog.local import LocalCatalog
from swf.config import Configuration
from swf.core.codec import Decoder
from swf.core.effects import prefixed
from swf.core.messages import Vocabulary
from swf.core.payload import PayloadSpec
from swf.epic.agents.backlog import Backlog
from swf.epic.agents.daq_simulator import DaqSimulator, RunPlan, daq_agent
from swf.epic.agents.data import data_agent
from swf.epic.agents.fast_processing import fast_processing_agent
from swf.epic.agents.fastmon import fastmon_agent
from swf.epic.agents.watcher import Limits, watcher_agent
from swf.epic.agents.worker import Workbench, worker_agent
from swf.epic.buffer_keeper import BufferKeeper
from swf.epic.closing import RunCloser
from swf.epic.daq.exit_buffer import ExitBufferPolicy
from swf.epic.daq.schedule import planned_stfs
from swf.epic.datasets import DatasetKeeper
from swf.epic.messages import EPIC_MESSAGES, RunImminent
from swf.epic.names import MAX_SEQUENCE
from swf.epic.payloads.shipped import SHIPPED
from swf.epic.run_settings import RunBook
from swf.epic.settings_daq import ExitBufferSection, StfSection, daq_parameters
from swf.epic.settings_processing import (
    FastProcessingSection,
    PayloadSection,
    ProcessingSection,
    RuntimeSection,
    WatcherSection,
    payload_spec,
)
from swf.epic.stf_writer import stf_writer
from swf.messaging.agent import Agent
from swf.messaging.runtime import Runtime
from swf.service.executions import mark_interrupted
from swf.service.identity import Heartbeats, enlist
from swf.service.loop import Loop
from swf.service.platform import Platform
from swf.storage.atomic import sweep_temporaries
from swf.store.counters import reserve
from swf.store.models import Event, Run, WorkflowExecution
from swf.workload.inline import InlinePool
from swf.workload.pool import PayloadPool
from swf.workload.port import Pool

WINDOW, EMPTY_WINDOW = 8, 64
"""STFs that may be under way at one time where the DAQ does not keep real time: with files, and without."""


class EpicExecution:
    """One execution in this process: its agents, and the loop that runs them until its run is closed."""

    def __init__(self, platform: Platform, configuration: Configuration, execution: WorkflowExecution) -> None:
        mark_interrupted(execution)
        self._platform = platform
        self._configuration = configuration
        self.execution = execution
        self.run_number = _run_number(execution, configuration)
        self._book = RunBook()
        self._buffer_folder = configuration.section(ExitBufferSection).path or platform.workspace.exit_buffer
        self._read_from = configuration.section(ExitBufferSection).read_from or str(self._buffer_folder)
        self._sweep()
        self._bench: Workbench | None = None
        self.pool: Pool | None = None
        self.simulator = self._simulator()
        builders: dict[str, Callable[[], Agent]] = {
            "daq": lambda: daq_agent(self.simulator),
            "data": self._data,
            "fastmon": self._fastmon,
            "fast_processing": self._fast_processing,
            "worker": self._worker,
            "watcher": self._watcher,
        }
        self.runtimes = {role: self._runtime(builders[role]()) for role in configuration.roles()}
        identities = [runtime.identity for runtime in self.runtimes.values()]
        self._heartbeats = Heartbeats(identities, platform.clock)
        self.loop = Loop(
            list(self.runtimes.values()),
            clock=platform.clock,
            wake=platform.wake,
            heartbeats=self._heartbeats,
            sink=platform.sink,
        )

    def closed(self) -> bool:
        """Whether the DAQ's script is done and the run is closed by its ledger.

        A run that was stopped before it was announced has nothing to close.
        """
        if not self.simulator.finished:
            return False
        announced = Event.objects.filter(run_number=self.run_number, type=RunImminent.msg_type).exists()
        return not announced or Run.objects.filter(pk=self.run_number, closed_at__isnull=False).exists()

    def pause(self, reason: str, grace_s: float) -> int:
        """Stop in good order: the DAQ holds, payloads are ended and handed back. Returns how many slices went back."""
        self.simulator.pause(self.runtimes["daq"].turn, reason)
        returned = 0
        if self._bench is not None:
            begin = self.runtimes["worker"].turn
            self._bench.end_payloads(begin, grace_s)
            # Results on the way are taken in first, or their slices would be done again.
            while self.runtimes["fast_processing"].step():
                pass
            returned = self._bench.hand_back(begin)
        self._heartbeats.exited()
        return returned

    def resume(self) -> None:
        """Let a DAQ that was held by a pause go on."""
        self.simulator.resume(self.runtimes["daq"].turn)

    def close(self) -> None:
        """End the payload processes; the agents leave."""
        if self.pool is not None:
            self.pool.close(grace_s=2.0)
        self._heartbeats.exited()

    def _sweep(self) -> None:
        """Remove what a killed process left half-written; the lock says that nobody writes there."""
        workspace, run = self._platform.workspace, str(self.run_number)
        for folder in (self._buffer_folder, workspace.samples / run, workspace.products / run):
            sweep_temporaries(folder)

    def _runtime(self, agent: Agent) -> Runtime:
        platform = self._platform
        identity = enlist(agent.role, platform.user, platform.namespace, platform.clock)
        log = platform.sink.logger(identity.name, namespace=platform.namespace)
        return Runtime(
            agent,
            identity,
            bus=platform.bus,
            decoder=Decoder(Vocabulary(EPIC_MESSAGES), platform.namespace),
            clock=platform.clock,
            ids=platform.ids,
            batch=self._configuration.section(RuntimeSection).batch_size,
            boundary=prefixed(agent.role, platform.boundary),
            on_failure=lambda letter: log.error(
                "message_failed", letter=letter.pk, error=letter.error, reason=letter.reason, state=letter.state
            ),
        )

    def _simulator(self) -> DaqSimulator:
        configuration, platform = self._configuration, self._platform
        boundary = prefixed("daq_simulator", platform.boundary)
        plan = RunPlan(
            execution_id=self.execution.execution_id,
            run_number=self.run_number,
            parameters=daq_parameters(configuration),
            workflow_params=_workflow_params(configuration),
        )
        writer = stf_writer(
            configuration.section(StfSection),
            folder=self._buffer_folder,
            run_number=self.run_number,
            tf_base=self.execution.tf_base,
            boundary=boundary,
        )
        window = WINDOW if writer.has_content else EMPTY_WINDOW
        return DaqSimulator(
            plan,
            writer=writer,
            buffer=buffer_keeper(configuration, self._buffer_folder, platform),
            backlog=Backlog(self.run_number, lambda: self._book.settings(self.run_number), window),
            io=platform.io,
            clock=platform.clock,
        )

    def _data(self) -> Agent:
        platform = self._platform
        datasets = DatasetKeeper(LocalCatalog(platform.clock), platform.namespace, platform.clock, self._book)
        return data_agent(
            buffer=self._buffer_folder,
            io=platform.io,
            clock=platform.clock,
            book=self._book,
            datasets=datasets,
            closer=RunCloser(platform.namespace, platform.clock, datasets),
            lease_s=self._lease_s,
        )

    def _fastmon(self) -> Agent:
        return fastmon_agent(
            buffer=self._read_from,
            samples=self._platform.workspace.samples,
            io=self._platform.io,
            clock=self._platform.clock,
            book=self._book,
            lease_s=self._lease_s,
            boundary=prefixed("fastmon", self._platform.boundary),
        )

    def _fast_processing(self) -> Agent:
        return fast_processing_agent(book=self._book, clock=self._platform.clock, namespace=self._platform.namespace)

    def _worker(self) -> Agent:
        platform, configuration = self._platform, self._configuration
        spec = payload_spec(configuration.section(PayloadSection), SHIPPED)
        slots = worker_slots(configuration)
        self.pool = _pool(spec, slots, platform)
        self._bench = Workbench(
            pool=self.pool,
            spec=spec,
            slots=slots,
            buffer=self._read_from,
            products=platform.workspace.products,
            io=platform.io,
            clock=platform.clock,
            lease_s=self._lease_s,
        )
        return worker_agent(self._bench)

    def _watcher(self) -> Agent:
        section = self._configuration.section(WatcherSection)
        platform = self._platform
        limits = Limits(
            interval_s=section.interval_s,
            stall_s=section.stall_s,
            stuck_s=section.stuck_s,
            heartbeat_s=section.heartbeat_s,
        )
        log = platform.sink.logger("watcher", namespace=platform.namespace)
        return watcher_agent(namespace=platform.namespace, limits=limits, clock=platform.clock, log=log)

    @property
    def _lease_s(self) -> float:
        if self._configuration.has("processing.lease_s"):
            return self._configuration.section(ProcessingSection).lease_s
        return _FILE_LEASE_S


_FILE_LEASE_S = 900.0
"""The lease of work on files in workflows that have no `[processing]`."""


def worker_slots(configuration: Configuration) -> int:
    """How many payloads run here at one time: as many as asked for, at most one per core."""
    wanted = configuration.section(ProcessingSection).workers
    cores = len(os.sched_getaffinity(0))
    return min(wanted or configuration.section(FastProcessingSection).target_worker_count, cores)


def buffer_keeper(configuration: Configuration, folder: Path, platform: Platform) -> BufferKeeper:
    """The keeper of the exit buffer that a configuration describes."""
    section = configuration.section(ExitBufferSection)
    policy = ExitBufferPolicy(
        capacity_bytes=int(section.capacity_gb * 1e9), retention=timedelta(hours=section.retention_hours)
    )
    return BufferKeeper(folder, policy, platform.namespace, platform.clock)


def _run_number(execution: WorkflowExecution, configuration: Configuration) -> int:
    """The run of an execution: a new number, and TF numbers of its own, when it has none yet."""
    if execution.run_number is None:
        stfs = planned_stfs(daq_parameters(configuration)) or MAX_SEQUENCE
        execution.run_number = reserve("run", 1)
        execution.tf_base = reserve("tf", stfs * configuration.section(StfSection).tf_count)
        execution.save(update_fields=["run_number", "tf_base"])
    return execution.run_number


def _workflow_params(configuration: Configuration) -> dict[str, object]:
    """What run_imminent tells the agents that cannot ask the store."""
    if not configuration.has("fast_processing.slices_per_sample"):
        return {}
    return configuration.section(FastProcessingSection).model_dump(mode="json")


def _pool(spec: PayloadSpec, slots: int, platform: Platform) -> Pool:
    if spec.name == "noop":
        return InlinePool(spec, clock=platform.clock, on_ready=platform.wake.set)
    return PayloadPool(
        spec, size=slots, clock=platform.clock, on_ready=platform.wake.set, scratch=platform.workspace.scratch
    )
