"""One execution in this process, from its first step to its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from swf.cli.exit_codes import ExitCode
from swf.cli.interrupts import Interrupts
from swf.cli.launching import launched
from swf.cli.live import Surroundings, View
from swf.cli.output import error_console, say
from swf.cli.reporting import report
from swf.config import Configuration
from swf.epic.agents.daq_simulator import ROLE as DAQ_ROLE
from swf.epic.composition import worker_slots
from swf.epic.daq.schedule import planned_stfs
from swf.epic.launch import EpicExecution
from swf.epic.settings_daq import ExitBufferSection, daq_parameters
from swf.epic.settings_processing import WatcherSection
from swf.epic.usecases.progress import Progress, open_alarms, progress_of
from swf.epic.usecases.summary import run_summary
from swf.epic.usecases.watch import Ending, Stall, Watch
from swf.service.executions import Status, set_status
from swf.service.platform import Platform
from swf.store.models import WorkflowExecution

PAUSE_GRACE_S = 5.0
"""How long payloads that run may take to end when the execution is paused."""


class Session:
    """Runs an execution until its run is closed, somebody interrupts, or it can go no further by itself."""

    def __init__(
        self, platform: Platform, configuration: Configuration, execution: WorkflowExecution, data_dir: Path
    ) -> None:
        self._platform = platform
        self._configuration = configuration
        self._execution = execution
        self._data_dir = data_dir

    def run(self, *, as_json: bool, resumed: bool = False) -> ExitCode:
        """Run it, show what came of it, and return the exit code."""
        with launched(self._platform, self._configuration, self._execution) as epic:
            if resumed:
                set_status(self._execution, Status.RUNNING, self._platform.clock)
                epic.resume()
            ending = self._run(epic)
        return report(self._execution, epic.run_number, ending, self._data_dir, as_json=as_json)

    def _run(self, epic: EpicExecution) -> Ending:
        platform, simulator = self._platform, epic.simulator
        view = View(Figures(self._platform, self._configuration, epic), error_console(), platform.clock)
        interrupts = Interrupts(before_exit=view.restore)
        stall = Stall(
            epic.run_number,
            platform.namespace,
            stall_s=self._configuration.section(WatcherSection).stall_s,
            idle=lambda: not simulator.seconds_to_next() and not platform.io.running(DAQ_ROLE),
            clock=platform.clock,
        )
        watch = Watch(interrupted=interrupts.asked, closed=epic.closed, stall=stall, clock=platform.clock, look=view)
        with interrupts.caught():
            with view:
                epic.loop.run(until=watch, next_due=simulator.seconds_to_next)
            assert watch.ending is not None
            self._conclude(epic, watch.ending, interrupts.name)
        return watch.ending

    def _conclude(self, epic: EpicExecution, ending: Ending, signal: str) -> None:
        """Leave the execution in good order, and its record as it is."""
        clock = self._platform.clock
        self._platform.boundary("execution.loop_ended")
        match ending:
            case Ending.CLOSED:
                # Payload processes and agents have gone before the execution is said to be done: nobody looks again.
                epic.close()
                stopped = run_summary(epic.run_number).ended_by
                set_status(self._execution, Status.STOPPED if stopped else Status.COMPLETED, clock)
            case Ending.INTERRUPTED:
                say(f"{signal}: pausing; once more ends at once")
                epic.pause(f"interrupted by {signal}", PAUSE_GRACE_S)
                set_status(self._execution, Status.PAUSED, clock, f"interrupted by {signal}")
            case Ending.STUCK:
                epic.pause("it can go no further by itself", PAUSE_GRACE_S)
                set_status(self._execution, Status.FAILED, clock, "it could go no further by itself")
        self._platform.boundary("execution.status_set")


@dataclass(frozen=True, slots=True)
class Figures:
    """Where the view has its figures from."""

    platform: Platform
    configuration: Configuration
    epic: EpicExecution

    @property
    def title(self) -> str:
        """The execution and its run."""
        return f"{self.epic.execution.execution_id}, run {self.epic.run_number}"

    @property
    def planned_stfs(self) -> int | None:
        """STFs that the run will have; None where it goes on until it is stopped."""
        return planned_stfs(daq_parameters(self.configuration))

    @property
    def workers_here(self) -> int:
        """Payloads that may run here at one time; 0 where the workflow has none."""
        return worker_slots(self.configuration) if self.epic.agents.bench is not None else 0

    def progress(self) -> Progress:
        """The run."""
        return progress_of(self.epic.run_number, self.platform.clock.now())

    def surroundings(self) -> Surroundings:
        """What is around it."""
        section = self.configuration.section(ExitBufferSection)
        return Surroundings(
            alarms=open_alarms(self.platform.namespace),
            buffer_used=self.epic.buffer.used_bytes(),
            buffer_capacity=int(section.capacity_gb * 1e9),
        )

    def daq(self) -> tuple[str, float]:
        """The DAQ's state, and simulated seconds since its script began."""
        pacer = self.epic.simulator.pacer
        return str(pacer.state), pacer.at

    def busy(self) -> int:
        """Payloads that run now."""
        return self.epic.agents.shelf.running()
