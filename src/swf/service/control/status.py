"""How the servers and the supervisord of a data directory are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from swf.core.errors import SwfError
from swf.core.times import Clock
from swf.messaging.settings import BusSection
from swf.messaging.stomp.probe import probe
from swf.service.control.daemon import Daemon
from swf.service.control.operate import not_supervised
from swf.service.control.place import ControlPlace
from swf.service.control.waiting import Tell
from swf.service.workspace import Workspace
from swf.store.postgresql import postgresql
from swf.store.settings import DatabaseSection


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """What a look found; a trouble is empty where there is none."""

    database_trouble: str
    broker_trouble: str
    supervisor_trouble: str
    """Why no agents run; empty where a supervisord runs for this directory."""


def look_around(
    workspace: Workspace, bus: BusSection, section: DatabaseSection, clock: Clock, tell: Tell
) -> ServiceStatus:
    """Look at both servers and at supervisord; nothing is changed.

    Raises:
        ServiceError: supervisord is there and does not answer as it should.
    """
    daemon = Daemon(ControlPlace(root=workspace.root), clock, tell)
    return ServiceStatus(
        database_trouble=str(look_at_database(section) or ""),
        broker_trouble=str(look_at_broker(bus) or ""),
        supervisor_trouble=not_supervised(daemon) if daemon.supervisor.pid() is None else "",
    )


def look_at_database(section: DatabaseSection) -> SwfError | None:
    """Why the database cannot be used; None where it can."""
    return _trouble(lambda: postgresql(section))


def look_at_broker(bus: BusSection) -> SwfError | None:
    """Why the broker cannot be used; None where it can."""
    return _trouble(lambda: probe(bus))


def _trouble(look: Callable[[], object]) -> SwfError | None:
    try:
        look()
    except SwfError as error:
        return error
    return None
