"""Stopping what runs for a data directory: `down`, `stop-local`, and the first half of `stop`."""

from __future__ import annotations

from dataclasses import dataclass

from swf.core.times import Clock
from swf.service.control.agents import is_agent
from swf.service.control.daemon import Daemon
from swf.service.control.place import ControlPlace
from swf.service.control.start import StartedBy, started_by
from swf.service.control.supervisor import WANTED
from swf.service.control.waiting import Tell
from swf.service.service_file import remove_service_file
from swf.service.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What was stopped; empty where nothing ran."""

    programs: tuple[str, ...]
    was_in_service: bool
    """Whether the directory was in service mode."""


def stop_all(workspace: Workspace, by: StartedBy, *, clock: Clock, tell: Tell) -> Stopped:
    """Stop the agents, which hand back what they have, then servers that run under the same supervisord, then that; the
    directory is in embedded mode again. Data, ports and passwords stay.

    Raises:
        IllegalMoveError: the services were started by another command than this one undoes.
        BusyError: another command starts or stops here.
        ServiceError: something does not end.
    """
    if not workspace.root.is_dir():
        return Stopped(programs=(), was_in_service=False)
    place = ControlPlace(root=workspace.root)
    with place.locked():
        started_by(workspace, by)
        daemon = Daemon(place, clock, tell)
        running = _end_agents(daemon, tell)
        daemon.shut_down()
        place.forget_socket()
        return Stopped(programs=tuple(running), was_in_service=remove_service_file(workspace.service_file))


def _end_agents(daemon: Daemon, tell: Tell) -> list[str]:
    """Stop the agents, all at the same time. Returns what ran, servers among it, which are still to be stopped."""
    if daemon.supervisor.pid() is None:
        return daemon.left_behind()
    running = [each.name for each in daemon.supervisor.processes() if each.state in WANTED]
    agents = [name for name in running if is_agent(name)]
    if running:
        tell(f"stopping {', '.join([*agents, *(name for name in running if name not in agents)])}")
    daemon.stop(agents)
    return running
