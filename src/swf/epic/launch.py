"""One execution in one process: its run, its agents, and the loop that runs them until the run is closed."""

from __future__ import annotations

from django.db import transaction

from swf.config import Configuration
from swf.core.effects import prefixed
from swf.epic.agents.backlog import Backlog
from swf.epic.agents.daq_simulator import DaqSimulator, RunPlan, daq_agent
from swf.epic.buffer_keeper import BufferKeeper
from swf.epic.composition import EpicAgents, buffer_keeper
from swf.epic.daq.schedule import planned_stfs
from swf.epic.messages import RunImminent
from swf.epic.names import MAX_SEQUENCE
from swf.epic.run_settings import settings_from
from swf.epic.settings_daq import StfSection, daq_parameters
from swf.epic.settings_processing import FastProcessingSection
from swf.epic.stf_writer import stf_writer
from swf.service.executions import mark_interrupted
from swf.service.identity import Heartbeats
from swf.service.loop import Loop
from swf.service.platform import Platform
from swf.storage.atomic import sweep_temporaries
from swf.store.counters import reserve
from swf.store.models import Event, Run, WorkflowExecution

WINDOW, EMPTY_WINDOW = 8, 64
"""STFs that may be under way at one time where the DAQ does not keep real time: with files, and without."""


class EpicExecution:
    """One execution in this process: its agents, and the loop that runs them until its run is closed."""

    def __init__(self, platform: Platform, configuration: Configuration, execution: WorkflowExecution) -> None:
        mark_interrupted(execution)
        self._platform = platform
        self.agents = EpicAgents(platform, configuration)
        self.execution = execution
        self.run_number = _run_number(execution, configuration)
        platform.boundary("execution.run_numbered")
        self._sweep()
        self.buffer = buffer_keeper(configuration, self.run_number, platform)
        self.simulator = _simulator(self.agents, execution, self.run_number, self.buffer)
        self.runtimes = {
            role: self.agents.runtime(daq_agent(self.simulator) if role == "daq" else self.agents.agent(role))
            for role in configuration.roles()
        }
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
        self.runtimes["data"].take_messages()
        returned = 0
        if self.agents.bench is not None:
            begin = self.runtimes["worker"].turn
            self.agents.bench.end_payloads(begin, grace_s)
            # Results on the way are taken in first, or their slices would be done again.
            while self.runtimes["fast_processing"].take_messages():
                pass
            returned = self.agents.bench.hand_back(begin)
        self._heartbeats.exited()
        return returned

    def resume(self) -> None:
        """Let a DAQ that was held by a pause go on."""
        self.simulator.resume(self.runtimes["daq"].turn)

    def close(self) -> None:
        """End the payload processes; the agents leave."""
        if self.agents.pool is not None:
            self.agents.pool.close(grace_s=2.0)
        self._heartbeats.exited()

    def _sweep(self) -> None:
        """Remove what a killed process left half-written; the lock says that nobody writes there."""
        workspace, run = self._platform.workspace, str(self.run_number)
        for folder in (self.agents.buffer, workspace.samples / run, workspace.products / run):
            sweep_temporaries(folder)


def _simulator(agents: EpicAgents, execution: WorkflowExecution, run_number: int, buffer: BufferKeeper) -> DaqSimulator:
    configuration, platform = agents.configuration, agents.platform
    plan = RunPlan(
        execution_id=execution.execution_id,
        run_number=run_number,
        parameters=daq_parameters(configuration),
        workflow_params=_workflow_params(configuration),
    )
    writer = stf_writer(
        configuration.section(StfSection),
        folder=agents.buffer,
        run_number=run_number,
        tf_base=execution.tf_base,
        boundary=prefixed("daq_simulator", platform.boundary),
    )
    window = WINDOW if writer.has_content else EMPTY_WINDOW
    return DaqSimulator(
        plan,
        writer=writer,
        buffer=buffer,
        backlog=Backlog(run_number, settings_from(configuration.kind.name, execution.parameter_values), window),
        io=platform.io,
        clock=platform.clock,
    )


def _run_number(execution: WorkflowExecution, configuration: Configuration) -> int:
    """The run of an execution: a new number, and TF numbers of its own, when it has none yet."""
    if execution.run_number is None:
        stfs = planned_stfs(daq_parameters(configuration)) or MAX_SEQUENCE
        with transaction.atomic():  # no number is taken without an execution that has it
            execution.run_number = reserve("run", 1)
            execution.tf_base = reserve("tf", stfs * configuration.section(StfSection).tf_count)
            execution.save(update_fields=["run_number", "tf_base"])
    return execution.run_number


def _workflow_params(configuration: Configuration) -> dict[str, object]:
    """What run_imminent tells the agents that cannot ask the store."""
    if not configuration.has("fast_processing.slices_per_sample"):
        return {}
    return configuration.section(FastProcessingSection).model_dump(mode="json")
