"""Composition of the particle-physics agents of a process: from the platform and a configuration to runtimes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from swf.catalog.local import LocalCatalog
from swf.config import Configuration
from swf.core.codec import Decoder
from swf.core.effects import prefixed
from swf.core.messages import Vocabulary
from swf.core.payload import PayloadSpec
from swf.epic.agents.data import data_agent
from swf.epic.agents.fast_processing import fast_processing_agent
from swf.epic.agents.fastmon import fastmon_agent
from swf.epic.agents.watcher import Limits, watcher_agent
from swf.epic.agents.worker import Workbench, worker_agent
from swf.epic.buffer_keeper import BufferKeeper, policy_of, runs_by_buffer
from swf.epic.closing import RunCloser
from swf.epic.datasets import DatasetKeeper
from swf.epic.legacy import tolerant_decoder
from swf.epic.messages import EPIC_MESSAGES
from swf.epic.payloads.shipped import SHIPPED
from swf.epic.run_settings import RunBook
from swf.epic.settings_daq import ExitBufferSection
from swf.epic.settings_processing import (
    FastProcessingSection,
    PayloadSection,
    ProcessingSection,
    RuntimeSection,
    WatcherSection,
    payload_spec,
)
from swf.messaging.agent import Agent
from swf.messaging.runtime import Runtime
from swf.messaging.settings import LegacySection
from swf.service.identity import enlist
from swf.service.platform import Platform
from swf.store.models import Run
from swf.workload.inline import InlinePool
from swf.workload.pool import PayloadPool
from swf.workload.port import Pool

_FILE_LEASE_S = 900.0
"""The lease of work on files in workflows that have no `[processing]`."""


class EpicAgents:
    """Makes the agents of a process, each at most once, and keeps what they share."""

    def __init__(self, platform: Platform, configuration: Configuration) -> None:
        section = configuration.section(ExitBufferSection)
        self.platform = platform
        self.configuration = configuration
        self.book = RunBook()
        self.buffer: Path = section.path or platform.workspace.exit_buffer
        """Where the DAQ writes STFs."""
        self.read_from = section.read_from or str(self.buffer)
        """Where samplers and payloads read them."""
        self.bench: Workbench | None = None
        """The worker's, once it is made."""
        self.pool: Pool | None = None
        """Its payloads."""
        self._builders: dict[str, Callable[[], Agent]] = {
            "data": self._data,
            "fastmon": self._fastmon,
            "fast_processing": self._fast_processing,
            "worker": self._worker,
            "watcher": self._watcher,
        }

    def agent(self, role: str) -> Agent:
        """The agent of a role; the DAQ's is made by who takes a run."""
        return self._builders[role]()

    def runtime(self, agent: Agent) -> Runtime:
        """The runtime of an agent."""
        platform = self.platform
        identity = enlist(agent.role, platform.user, platform.namespace, platform.clock)
        log = platform.sink.logger(identity.name, namespace=platform.namespace)
        return Runtime(
            agent,
            identity,
            bus=platform.bus,
            decoder=self._decoder(),
            clock=platform.clock,
            ids=platform.ids,
            batch=self.configuration.section(RuntimeSection).batch_size,
            boundary=prefixed(agent.role, platform.boundary),
            on_failure=lambda letter: log.error(
                "message_failed", letter=letter.pk, error=letter.error, reason=letter.reason, state=letter.state
            ),
        )

    def _decoder(self) -> Decoder:
        legacy, namespace = self.configuration.section(LegacySection), self.platform.namespace
        if legacy.enabled:
            return tolerant_decoder(legacy, namespace)
        return Decoder(Vocabulary(EPIC_MESSAGES), namespace)

    def _data(self) -> Agent:
        platform = self.platform
        boundary = prefixed("data", platform.boundary)
        datasets = DatasetKeeper(LocalCatalog(platform.clock), platform.namespace, platform.clock, self.book, boundary)
        return data_agent(
            buffer=self.buffer,
            io=platform.io,
            clock=platform.clock,
            book=self.book,
            datasets=datasets,
            closer=RunCloser(platform.namespace, platform.clock, datasets),
            lease_s=self._lease_s,
        )

    def _fastmon(self) -> Agent:
        return fastmon_agent(
            buffer=self.read_from,
            samples=self.platform.workspace.samples,
            io=self.platform.io,
            clock=self.platform.clock,
            book=self.book,
            lease_s=self._lease_s,
            boundary=prefixed("fastmon", self.platform.boundary),
        )

    def _fast_processing(self) -> Agent:
        return fast_processing_agent(book=self.book, clock=self.platform.clock, namespace=self.platform.namespace)

    def _worker(self) -> Agent:
        platform, configuration = self.platform, self.configuration
        spec = payload_spec(configuration.section(PayloadSection), SHIPPED)
        slots = worker_slots(configuration)
        self.pool = _pool(spec, slots, platform)
        self.bench = Workbench(
            pool=self.pool,
            spec=spec,
            slots=slots,
            buffer=self.read_from,
            products=platform.workspace.products,
            io=platform.io,
            clock=platform.clock,
            lease_s=self._lease_s,
            boundary=prefixed("worker", platform.boundary),
        )
        return worker_agent(self.bench)

    def _watcher(self) -> Agent:
        section = self.configuration.section(WatcherSection)
        platform = self.platform
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
        if self.configuration.has("processing.lease_s"):
            return self.configuration.section(ProcessingSection).lease_s
        return _FILE_LEASE_S


def worker_slots(configuration: Configuration) -> int:
    """How many payloads run here at one time: as many as asked for, at most one per core."""
    wanted = configuration.section(ProcessingSection).workers
    cores = len(os.sched_getaffinity(0))
    return min(wanted or configuration.section(FastProcessingSection).target_worker_count, cores)


def buffer_keeper(configuration: Configuration, run_number: int, platform: Platform) -> BufferKeeper:
    """The keeper of a run's exit buffer: of the run's own STFs, and those of earlier runs in the same folder."""
    section = configuration.section(ExitBufferSection)
    default = platform.workspace.exit_buffer
    folder = section.path or default
    earlier = runs_by_buffer(Run.objects.exclude(pk=run_number), default)
    runs = {run_number, *(run for (path, _), runs in earlier.items() if path == folder for run in runs)}
    return BufferKeeper(
        folder,
        policy_of(section),
        platform.namespace,
        platform.clock,
        runs=runs,
        boundary=prefixed("daq_simulator", platform.boundary),
    )


def _pool(spec: PayloadSpec, slots: int, platform: Platform) -> Pool:
    if spec.name == "noop":
        return InlinePool(spec, clock=platform.clock, on_ready=platform.wake.set)
    return PayloadPool(
        spec, size=slots, clock=platform.clock, on_ready=platform.wake.set, scratch=platform.workspace.scratch
    )
