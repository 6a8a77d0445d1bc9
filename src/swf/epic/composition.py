"""Composition of the particle-physics agents of a process: from the platform and a configuration to runtimes."""

from __future__ import annotations

import os
from collections.abc import Callable

from swf.catalog.local import LocalCatalog
from swf.config import Configuration
from swf.core.codec import Decoder
from swf.core.effects import prefixed
from swf.core.errors import ConfigError
from swf.core.messages import Vocabulary
from swf.core.payload import PayloadSpec
from swf.epic.agents.adoption import AbandonedRuns, Adoption
from swf.epic.agents.data import data_agent
from swf.epic.agents.fast_processing import fast_processing_agent
from swf.epic.agents.fastmon import fastmon_agent
from swf.epic.agents.pace import MOST_AHEAD
from swf.epic.agents.panda_processing import panda_processing_agent
from swf.epic.agents.watcher import Limits, watcher_agent
from swf.epic.agents.worker import Workbench, worker_agent
from swf.epic.closing import RunCloser
from swf.epic.datasets import DatasetKeeper
from swf.epic.legacy import tolerant_decoder
from swf.epic.messages import EPIC_MESSAGES
from swf.epic.panda_workers.incoming import ResultDecoder
from swf.epic.payloads.shipped import SHIPPED
from swf.epic.run_files import RunFiles
from swf.epic.run_settings import LEASE_S, RunBook
from swf.epic.settings_panda import PandaWorkersSection, WorkersBy
from swf.epic.settings_processing import (
    FastProcessingSection,
    PayloadSection,
    ProcessingSection,
    RuntimeSection,
    WatcherSection,
    payload_spec,
)
from swf.epic.slice_queue import WorkerQueues
from swf.messaging.agent import Agent
from swf.messaging.runtime import Runtime
from swf.messaging.settings import LegacySection
from swf.messaging.turn import Identity
from swf.service.identity import enlist
from swf.service.platform import Platform
from swf.workload.inline import InlinePool
from swf.workload.noop import NOOP
from swf.workload.pool import PayloadPool
from swf.workload.port import Pool
from swf.workload.shelf import Shelf
from swf.workload.spec import validate_spec


class EpicAgents:
    """Makes the agents of a process, each at most once, and keeps what they share."""

    def __init__(self, platform: Platform, configuration: Configuration) -> None:
        self.platform = platform
        self.configuration = configuration
        self.book = RunBook()
        self.files = RunFiles(self.book, platform.workspace)
        """Where the STFs of runs lie."""
        self.queues = WorkerQueues(platform.namespace, platform.clock)
        """Where slices for worker agents go."""
        self.bench: Workbench | None = None
        """The worker's, once it is made."""
        self.shelf = Shelf(self._pool)
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

    def runtime(self, agent: Agent, identity: Identity | None = None) -> Runtime:
        """The runtime of an agent; where it has no identity yet, it gets one."""
        platform = self.platform
        identity = identity or enlist(agent.role, platform.user, platform.namespace, platform.clock)
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
        ours = tolerant_decoder(legacy, namespace) if legacy.enabled else Decoder(Vocabulary(EPIC_MESSAGES), namespace)
        return ResultDecoder(ours, namespace) if self._uses_panda else ours

    def _data(self) -> Agent:
        platform = self.platform
        boundary = prefixed("data", platform.boundary)
        datasets = DatasetKeeper(LocalCatalog(platform.clock), platform.namespace, platform.clock, self.book, boundary)
        return data_agent(
            files=self.files,
            io=platform.io,
            clock=platform.clock,
            book=self.book,
            datasets=datasets,
            closer=RunCloser(platform.namespace, platform.clock, datasets),
            lease_s=self._lease_s,
            adoption=self._adoption,
            abandoned=AbandonedRuns(platform.namespace, platform.clock) if self._adoption else None,
        )

    def _fastmon(self) -> Agent:
        return fastmon_agent(
            files=self.files,
            samples=self.platform.workspace.samples,
            io=self.platform.io,
            clock=self.platform.clock,
            book=self.book,
            lease_s=self._lease_s,
            boundary=prefixed("fastmon", self.platform.boundary),
        )

    def _fast_processing(self) -> Agent:
        platform, configuration = self.platform, self.configuration
        if not self._uses_panda:
            return fast_processing_agent(
                book=self.book, clock=platform.clock, namespace=platform.namespace, send=self.queues
            )
        if platform.bus.shares_database:
            raise ConfigError(
                f"{configuration.quote('processing.workers_by')}: PanDA workers are reached by a broker, and the "
                "embedded mode has none; start the service mode, with `testbed up` for example"
            )
        return panda_processing_agent(
            book=self.book,
            clock=platform.clock,
            namespace=platform.namespace,
            panda=configuration.section(PandaWorkersSection),
            plan=configuration.section(FastProcessingSection),
        )

    def _worker(self) -> Agent:
        platform = self.platform
        # Said here, and not only when the first slice has come.
        validate_spec(payload_spec(self.configuration.section(PayloadSection), SHIPPED))
        self.bench = Workbench(
            shelf=self.shelf,
            payload_of=self._payload_of,
            queues=self.queues,
            lease_of=lambda run_number: self.book.settings(run_number).lease_s,
            slots=worker_slots(self.configuration),
            files=self.files,
            products=platform.workspace.products,
            io=platform.io,
            clock=platform.clock,
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
    def _adoption(self) -> Adoption | None:
        """Takes runs of older DAQs in, where those are listened to."""
        return Adoption(self.configuration) if self.configuration.section(LegacySection).enabled else None

    @property
    def _uses_panda(self) -> bool:
        found = self.configuration.has("processing.workers_by") and self.configuration.has("panda_workers.lease_s")
        return found and self.configuration.section(ProcessingSection).workers_by is WorkersBy.PANDA

    @property
    def _lease_s(self) -> float:
        if self.configuration.has("processing.lease_s"):
            return self.configuration.section(ProcessingSection).lease_s
        return LEASE_S

    def _payload_of(self, run_number: int) -> PayloadSpec:
        payload = self.book.settings(run_number).payload
        if payload is None:
            raise ConfigError(f"run {run_number} is of a workflow that has no payload: its slices cannot be processed")
        return payload

    def _pool(self, spec: PayloadSpec, number: int) -> Pool:
        wake, clock = self.platform.wake.set, self.platform.clock
        if spec.name == NOOP.name:
            return InlinePool(spec, clock=clock, on_ready=wake)
        scratch = self.platform.scratch / f"pool-{number}"
        return PayloadPool(spec, size=worker_slots(self.configuration), clock=clock, on_ready=wake, scratch=scratch)


def prefetch(configuration: Configuration) -> dict[str, int]:
    """How many messages of a work queue each role holds. What a worker holds and does not work at, no other can take;
    results have one reader, which takes as many at once as go into a transaction."""
    if not configuration.has("processing.workers"):
        return {}
    slots = worker_slots(configuration)
    fast = configuration.section(PayloadSection).name == NOOP.name
    results = configuration.section(RuntimeSection).batch_size
    return {"fast_processing": results, "worker": slots + (MOST_AHEAD if fast else slots)}


def worker_slots(configuration: Configuration) -> int:
    """How many payloads run here at one time: as many as asked for, at most one per core."""
    wanted = configuration.section(ProcessingSection).workers
    cores = len(os.sched_getaffinity(0))
    return min(wanted or configuration.section(FastProcessingSection).target_worker_count, cores)
