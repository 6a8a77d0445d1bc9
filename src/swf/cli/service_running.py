"""One execution in service mode, as who asked for it sees it: agents of other processes take and process its run."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swf.cli.exit_codes import ExitCode
from swf.cli.interrupts import Interrupts
from swf.cli.live import Surroundings, View
from swf.cli.output import error_console, say
from swf.cli.patience import Patience
from swf.cli.reporting import report
from swf.config import Configuration, TestbedSection
from swf.core.errors import ServiceError
from swf.core.times import Clock
from swf.epic.agents.daq_simulator import ROLE as DAQ_ROLE
from swf.epic.buffer_keeper import BufferKeeper, policy_of
from swf.epic.daq.schedule import planned_stfs
from swf.epic.models import DaqStateEvent
from swf.epic.settings_daq import ExitBufferSection, daq_parameters
from swf.epic.settings_processing import WatcherSection
from swf.epic.usecases.progress import Progress, open_alarms, progress_of
from swf.epic.usecases.watch import Ending, Stall, Watch
from swf.service.at_work import not_ready, ready_agents
from swf.service.executions import Status, request_pause
from swf.service.workspace import Workspace
from swf.store.models import WorkflowExecution

LOOK_S: Final = 0.1
READY_S: Final = 15.0
"""How long agents are waited for that are not ready yet."""
PAUSE_S: Final = 10.0
"""How long the DAQ's agent is waited for that is asked to pause."""


def require_agents(configuration: Configuration, clock: Clock, interrupts: Interrupts) -> None:
    """See to it that every agent of a workflow is subscribed and ready; those that are about to be are waited for.

    Raises:
        ServiceError: some are not; the message says which, and why.
    """
    namespace = configuration.section(TestbedSection).namespace
    roles = [DAQ_ROLE if role == "daq" else role for role in configuration.roles()]
    patience = Patience(interrupts, clock)
    deadline, said = clock.monotonic() + READY_S, False
    while missing := patience(lambda: not_ready(namespace, roles, clock.now())):
        hopeless = any(not each.is_coming for each in missing.values())
        if hopeless or clock.monotonic() >= deadline or interrupts.asked():
            lines = "".join(f"\n  {each.why}" for each in missing.values())
            raise ServiceError(
                f"not every agent that the workflow needs is ready in namespace {namespace}, so the run is not "
                f"started:{lines}\nstart them with: testbed agents start (all of this data directory), or testbed "
                "agents run ROLE in a terminal each; see: testbed agents list"
            )
        if not said:
            said = True
            say(f"waiting for {', '.join(missing)}")
        threading.Event().wait(LOOK_S)


class ServiceSession:
    """Watches an execution until its run is closed, somebody interrupts, or it can go no further by itself."""

    def __init__(
        self,
        workspace: Workspace,
        configuration: Configuration,
        execution: WorkflowExecution,
        user: str,
        data_dir: Path,
        clock: Clock,
    ) -> None:
        self._configuration = configuration
        self._execution = execution
        self._user = user
        self._data_dir = data_dir
        self._clock = clock
        self._figures = ServiceFigures(workspace, configuration, execution, clock)

    def run(self, interrupts: Interrupts, *, as_json: bool) -> ExitCode:
        """Watch it, show what came of it, and return the exit code. A database that restarts meanwhile is waited for.

        Raises:
            ServiceError: the execution could not be taken; or the database does not answer, and a signal came.
        """
        patience = Patience(interrupts, self._clock)
        ending = self._wait_for_run(interrupts, patience) or self._watch(interrupts, patience)
        if ending is Ending.INTERRUPTED:
            self._pause(interrupts.name, patience)
        patience(self._execution.refresh_from_db)
        if self._execution.status == Status.FAILED and self._execution.run_number is None:
            raise ServiceError(f"{self._execution.execution_id} failed: {self._execution.status_reason}")
        run_number = self._execution.run_number
        return patience(lambda: report(self._execution, run_number, ending, self._data_dir, as_json=as_json))

    def _wait_for_run(self, interrupts: Interrupts, patience: Patience) -> Ending | None:
        """Wait until the DAQ's agent has taken it; None where it has."""
        said_at = self._clock.monotonic() + 2.0
        while True:
            patience(self._execution.refresh_from_db)
            if interrupts.asked() or self._execution.status == Status.PAUSED:
                return Ending.INTERRUPTED
            if self._execution.status == Status.FAILED:
                return Ending.STUCK
            if self._execution.status != Status.REQUESTED and self._execution.run_number is not None:
                return None
            if said_at is not None and self._clock.monotonic() > said_at:
                say(f"{self._execution.execution_id} waits for the DAQ: {patience(self._before)}")
                said_at = self._clock.monotonic() + 30.0
            threading.Event().wait(LOOK_S)

    def _before(self) -> str:
        """What the DAQ is at."""
        of_namespace = WorkflowExecution.objects.filter(namespace=self._execution.namespace, status=Status.RUNNING)
        names = list(of_namespace.order_by("start_time").values_list("execution_id", flat=True)[:3])
        return f"it is at {', '.join(names)}" if names else "its agent has not looked yet"

    def _watch(self, interrupts: Interrupts, patience: Patience) -> Ending:
        run_number = self._execution.run_number
        assert run_number is not None
        view = View(self._figures, error_console(), self._clock)
        stall = Stall(
            run_number,
            self._execution.namespace,
            stall_s=self._configuration.section(WatcherSection).stall_s,
            idle=lambda: self._figures.progress().phase != "physics",
            clock=self._clock,
        )
        watch = Watch(
            interrupted=interrupts.asked,
            closed=lambda: patience(self._is_over),
            stall=stall,
            clock=self._clock,
            look=lambda: patience(view),
        )
        with view:
            while not watch():
                threading.Event().wait(LOOK_S)
        assert watch.ending is not None
        patience(self._execution.refresh_from_db)
        held = watch.ending is Ending.CLOSED and self._execution.status == Status.PAUSED
        return Ending.INTERRUPTED if held else watch.ending

    def _is_over(self) -> bool:
        self._execution.refresh_from_db()
        return self._execution.status not in {Status.RUNNING, Status.REQUESTED}

    def _pause(self, signal: str, patience: Patience) -> None:
        """Have the DAQ held. What is queued is processed on by the agents."""
        patience(self._execution.refresh_from_db)
        if self._execution.status not in {Status.RUNNING, Status.REQUESTED}:
            return
        say(f"{signal}: pausing; once more ends at once")
        patience(lambda: request_pause(self._execution.execution_id, self._user))
        deadline = self._clock.monotonic() + PAUSE_S
        while self._clock.monotonic() < deadline:
            patience(self._execution.refresh_from_db)
            if self._execution.status not in {Status.RUNNING, Status.REQUESTED}:
                return
            threading.Event().wait(LOOK_S)
        say("the DAQ's agent has not answered yet; it will pause as soon as it does")


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """Where the view has its figures from: rows only."""

    workspace: Workspace
    configuration: Configuration
    execution: WorkflowExecution
    clock: Clock

    @property
    def title(self) -> str:
        """The execution and its run."""
        return f"{self.execution.execution_id}, run {self.execution.run_number}"

    @property
    def planned_stfs(self) -> int | None:
        """STFs that the run will have; None where it goes on until it is stopped."""
        return planned_stfs(daq_parameters(self.configuration))

    @property
    def workers_here(self) -> int:
        """Worker agents that are at work."""
        return ready_agents(self.execution.namespace, "worker", self.clock.now())

    def progress(self) -> Progress:
        """The run."""
        return progress_of(self.execution.run_number or 0, self.clock.now())

    def surroundings(self) -> Surroundings:
        """What is around it."""
        section = self.configuration.section(ExitBufferSection)
        folder = section.path or self.workspace.exit_buffer
        keeper = BufferKeeper(folder, policy_of(section), self.execution.namespace, self.clock)
        return Surroundings(
            alarms=open_alarms(self.execution.namespace),
            buffer_used=keeper.used_bytes(),
            buffer_capacity=int(section.capacity_gb * 1e9),
        )

    def daq(self) -> tuple[str, float]:
        """The DAQ's state, and simulated seconds since its script began."""
        last = DaqStateEvent.objects.filter(run_number=self.execution.run_number).order_by("-revision").first()
        return (f"{last.state}/{last.substate}", last.simulation_tick) if last else ("not begun", 0.0)

    def busy(self) -> int:
        """Slices that are worked at now."""
        return self.progress().processing
