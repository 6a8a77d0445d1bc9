"""The agents of a data directory whose supervisord runs: listed, started, stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swf.core.errors import IllegalMoveError
from swf.core.times import Clock
from swf.service.control.agents import chosen
from swf.service.control.daemon import Daemon
from swf.service.control.place import ControlPlace
from swf.service.control.supervisor import WANTED
from swf.service.control.waiting import Tell
from swf.service.workspace import Workspace

if TYPE_CHECKING:
    from swf.service.control.agent_report import AgentReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The agents of one supervisord. What looks at rows needs the store to be open."""

    place: ControlPlace
    daemon: Daemon
    clock: Clock
    tell: Tell

    def chosen(self, wanted: Sequence[str]) -> list[str]:
        """The programs of the agents that were named, by role or by program; all where none was.

        Raises:
            UnknownNameError: there is none of a name.
            ServiceError: supervisord does not answer.
        """
        return chosen([process.name for process in self.daemon.supervisor.processes()], wanted)

    def reports(self) -> list[AgentReport]:
        """How the agents are.

        Raises:
            ServiceError: supervisord does not answer.
        """
        from swf.service.control.readiness import reports

        return reports(self.daemon.supervisor)

    def start(self, names: Sequence[str]) -> list[AgentReport]:
        """Start those that do not run, and wait until all are ready, at most a minute. Returns how they are then.

        Raises:
            BusyError: another command starts or stops here.
            ServiceError: supervisord does not answer.
        """
        from swf.service.control.readiness import wait_ready

        supervisor = self.daemon.supervisor
        with self.place.locked():
            for name in names:
                supervisor.start(name)
            return wait_ready(supervisor, names, self.clock, self.tell)

    def stop(self, names: Sequence[str]) -> list[str]:
        """Stop programs, and wait until they have ended. Returns those that ran.

        Raises:
            BusyError: another command starts or stops here.
            ServiceError: one does not end, or supervisord does not answer.
        """
        with self.place.locked():
            running = [each.name for each in self.daemon.supervisor.processes() if each.state in WANTED]
            stopped = [name for name in names if name in running]
            self.daemon.stop(stopped)
            return stopped


def control_of(workspace: Workspace, clock: Clock, tell: Tell) -> Control:
    """The agents of a data directory.

    Raises:
        IllegalMoveError: no supervisord runs for it; the message says how to start one.
    """
    place = ControlPlace(root=workspace.root)
    daemon = Daemon(place, clock, tell)
    if daemon.supervisor.pid() is None:
        raise IllegalMoveError(f"{workspace.root}: {not_supervised(daemon)}")
    return Control(place=place, daemon=daemon, clock=clock, tell=tell)


def not_supervised(daemon: Daemon) -> str:
    """What it means that no supervisord runs, and what to do."""
    left = daemon.left_behind()
    if left:
        return (
            f"the supervisord was killed, and what it ran goes on without anybody who restarts it: {', '.join(left)}; "
            "put that right with the command that started it: testbed up, start or start-local"
        )
    return (
        "no agents run here; start them with `testbed up` (servers of this machine), `testbed start` (servers in "
        "containers) or `testbed start-local` (servers that are there)"
    )
