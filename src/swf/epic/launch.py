"""One execution in one process: its run, its agents, and the loop that runs them until the run is closed."""

from __future__ import annotations

from swf.config import Configuration
from swf.epic.agents.daq_simulator import daq_agent
from swf.epic.composition import EpicAgents
from swf.epic.messages import RunImminent
from swf.epic.taking import take_run
from swf.service.executions import mark_interrupted
from swf.service.identity import Heartbeats
from swf.service.loop import Loop
from swf.service.platform import Platform
from swf.storage.atomic import sweep_temporaries
from swf.store.models import Event, Run, WorkflowExecution


class EpicExecution:
    """One execution in this process: its agents, and the loop that runs them until its run is closed."""

    def __init__(self, platform: Platform, configuration: Configuration, execution: WorkflowExecution) -> None:
        mark_interrupted(execution)
        self._platform = platform
        self.agents = EpicAgents(platform, configuration)
        self.execution = execution
        taking = take_run(platform, configuration, execution)
        self.run_number, self.buffer, self.simulator = taking.run_number, taking.buffer, taking.simulator
        self._sweep()
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
        self.agents.shelf.close(grace_s=2.0)
        self._heartbeats.exited()

    def _sweep(self) -> None:
        """Remove what a killed process left half-written; the lock says that nobody writes there."""
        workspace, run = self._platform.workspace, str(self.run_number)
        for folder in (workspace.samples / run, workspace.products / run):
            sweep_temporaries(folder)
