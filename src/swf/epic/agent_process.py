"""One agent as a process of its own: its runtime, its connections, and the loop that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Final

from django.db import OperationalError

from swf.config import Configuration, load
from swf.core.effects import prefixed
from swf.core.errors import ConfigError, RetriableError
from swf.epic.agents.daq_simulator import ROLE as DAQ_ROLE
from swf.epic.agents.run_taker import RunTaker
from swf.epic.composition import EpicAgents
from swf.epic.settings import DAQ, DATA, KINDS
from swf.epic.taking import Taking, take_run
from swf.messaging.agent import Agent
from swf.messaging.relay import AbsentRelay, Relay
from swf.messaging.settings import BusSection
from swf.messaging.stomp import BusStatus, StompBus
from swf.messaging.turn import Identity
from swf.service.heartbeat_topic import HeartbeatTopic
from swf.service.identity import Heartbeats
from swf.service.loop import Loop
from swf.service.metrics import AgentFigures, serving
from swf.service.numbering import Numbering
from swf.service.platform import Platform
from swf.service.settings import MetricsSection
from swf.storage.atomic import sweep_temporaries
from swf.store import database
from swf.store.models import OutboxMessage, WorkflowExecution

PAYLOAD_GRACE_S: Final = 4.0
"""How long payloads that run may take to end when their worker stops."""

LEAVE_S: Final = 6.0
"""How long an agent that ends tries again where its database fails."""

LAST_WORDS_S: Final = 3.0
"""How long an agent that ends waits for the broker to take its last messages. What it does not take is published when
the agent is started again, or for it by another one."""

_AGAIN_S: Final = 0.2


def agent_role(role: str) -> str:
    """The role of an agent's row, for the role of the configuration."""
    return DAQ_ROLE if role == DAQ.name else role


class EpicAgentProcess:
    """The agent of one role in this process. Use it as `run` and then `leave`. `others` take steps in its loop."""

    def __init__(
        self,
        platform: Platform,
        bus: StompBus,
        identity: Identity,
        configuration: Configuration,
        role: str,
        *,
        others: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
    ) -> None:
        self._platform = platform
        self._bus = bus
        self._agents = EpicAgents(platform, configuration)
        self._taker: RunTaker | None = None
        self.runtime = self._agents.runtime(self._agent(role, identity), identity)
        boundary = prefixed(f"{agent_role(role)}.relay", platform.boundary)
        self.relay = Relay(bus, [identity.name], platform.clock, boundary=boundary)
        self.runtime.tell(self.relay.told)
        # Every workflow has a data agent: it gives the figures of the namespace, and sends for agents that are gone.
        self._figures = AgentFigures(
            self.runtime, self.relay, bus.status, platform.clock, namespace_too=role == DATA.name
        )
        steps: dict[str, Callable[[], bool]] = {**others, "relay": self.relay.step, "figures": self._figures.step}
        if role == DATA.name:
            steps["relay of absent agents"] = AbsentRelay(bus, platform.namespace, platform.clock).step
        topic = configuration.section(BusSection).heartbeat_topic
        said = HeartbeatTopic(bus, topic, [identity], ids=platform.ids, clock=platform.clock)
        self._heartbeats = Heartbeats(
            [identity],
            platform.clock,
            trouble=lambda: trouble_of(bus.status()),
            say=lambda status, state: said.say(status=status, operational_state=state),
        )
        self.loop = Loop(
            [self.runtime],
            clock=platform.clock,
            wake=platform.wake,
            heartbeats=self._heartbeats,
            sink=platform.sink,
            others=steps,
        )
        self._log = platform.sink.logger(identity.name, namespace=platform.namespace)

    def run(self, until: Callable[[], bool]) -> None:
        """Work until `until` says that it is enough."""
        self._log.info("agent_started", role=self.runtime.identity.role)
        self.runtime.wait = partial(_wait, until)
        with Numbering(self._platform.clock, self._log), self._metrics():
            self.loop.run(until, next_due=self._next_due)

    def leave(self) -> int:
        """End in good order: payloads are ended and their slices handed back, last messages sent, and the row says that
        the agent is gone. Returns how many slices went back."""
        deadline, returned, left = self._platform.clock.monotonic() + LEAVE_S, 0, False
        while not left:
            try:
                returned += self._hand_back()
                self._send_last_words()
                self._heartbeats.exited()
                left = True
            except (*database.FAILURES, RetriableError) as error:
                database.recover()
                if self._platform.clock.monotonic() >= deadline:
                    # Leases run out, and rows tell by their heartbeat that the agent has gone.
                    self._log.error("left_without_database", error=str(error))
                    break
                self._platform.wake.wait(_AGAIN_S)
                self._platform.wake.clear()
        self._log.info("agent_ended", handed_back=returned)
        return returned

    def _hand_back(self) -> int:
        bench = self._agents.bench
        if bench is None:
            return 0
        bench.end_payloads(self.runtime.turn, PAYLOAD_GRACE_S)
        return bench.hand_back(self.runtime.turn)

    def _agent(self, role: str, identity: Identity) -> Agent:
        if role != DAQ.name:
            return self._agents.agent(role)
        platform = self._platform
        self._taker = RunTaker(
            identity.name,
            platform.namespace,
            platform.clock,
            platform.sink.logger(identity.name, namespace=platform.namespace),
            take=partial(_take, platform),
            sweep=partial(_sweep, platform),
        )
        return Agent(role=DAQ_ROLE, reconcilers=(self._taker,))

    @contextmanager
    def _metrics(self) -> Iterator[None]:
        section, name = self._agents.configuration.section(MetricsSection), self.runtime.identity.name
        if not section.enabled:
            yield
            return
        targets = self._platform.workspace.metrics / f"{name}.json"
        with serving(self._figures, section.host, section.port, targets) as address:
            self._log.info("metrics_served", address=address)
            yield

    def _next_due(self) -> float | None:
        return self._taker.seconds_to_next() if self._taker else None

    def _send_last_words(self) -> None:
        mine = OutboxMessage.objects.filter(sender=self.runtime.identity.name)
        deadline = self._platform.clock.monotonic() + LAST_WORDS_S
        while mine.exists() and self._platform.clock.monotonic() < deadline:
            if not self.relay.step():
                self._platform.wake.wait(0.05)
                self._platform.wake.clear()


def _wait(until: Callable[[], bool], seconds: float) -> None:
    """Wait for a database that is gone, unless it is enough: the next start finds in the rows what was committed."""
    if until():
        raise OperationalError("the process ends before the database has said whether its last commit took effect")
    time.sleep(seconds)


def trouble_of(status: BusStatus) -> str:
    """Why an agent cannot work with this bus, in words; empty where it can."""
    for link in (status.consumer, status.producer):
        if not link.connected:
            return f"no connection to the broker: {link.trouble or 'not tried yet'}"
    for subscription in status.subscriptions:
        if not subscription.confirmed:
            refusal = f": {subscription.refusal}" if subscription.refusal else ""
            return f"not subscribed to {subscription.queue} yet{refusal}"
    return ""


def stored_configuration(execution: WorkflowExecution) -> Configuration:
    """The configuration that an execution was started with.

    Raises:
        ConfigError: this version of the program does not accept it.
    """
    name = execution.workflow_definition.workflow_type
    kind = next((kind for kind in KINDS if kind.name == name), None)
    if kind is None:
        raise ConfigError(f"execution {execution.execution_id} is of kind {name!r}, which this program does not have")
    return load(
        kind=kind, kinds=KINDS, stored=execution.parameter_values, stored_by=f"execution {execution.execution_id}"
    )


def _take(platform: Platform, execution: WorkflowExecution) -> Taking:
    return take_run(platform, stored_configuration(execution), execution)


def _sweep(platform: Platform, run_number: int) -> None:
    """Remove what killed processes left half-written: nobody writes for a run that is closed."""
    for folder in (platform.workspace.samples, platform.workspace.products):
        sweep_temporaries(folder / str(run_number))
