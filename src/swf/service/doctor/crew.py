"""The agents: their supervisord, and what their rows say. The store is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from swf.core.errors import SwfError
from swf.core.modes import Mode
from swf.core.times import Clock
from swf.service.control.place import ControlPlace
from swf.service.control.supervisor import ProcessState, Supervisor
from swf.service.doctor.finding import Finding, failed, ok, warning
from swf.service.identity import HEARTBEAT_S, is_alive
from swf.service.workspace import Workspace
from swf.store.models import SystemAgent

_SILENT: Final = timedelta(seconds=3 * HEARTBEAT_S)
_NOT_WELL: Final = frozenset({ProcessState.BACKOFF, ProcessState.FATAL, ProcessState.UNKNOWN})


def supervisord(workspace: Workspace) -> Finding:
    """The supervisord of a data directory, and its processes."""
    subject = "supervisord"
    supervisor = Supervisor(ControlPlace(root=workspace.root).socket())
    try:
        pid = supervisor.pid()
        if pid is None:
            return warning(subject, "none runs here", "start the agents: testbed up, start or start-local")
        processes = supervisor.processes()
    except SwfError as error:
        return failed(subject, str(error))
    bad = [f"{each.name} {each.state}: {each.trouble}" for each in processes if each.state in _NOT_WELL]
    if bad:
        return failed(subject, f"process {pid}; {'; '.join(bad)}", f"see the logs in {workspace.logs}")
    states = Counter(str(each.state).lower() for each in processes)
    return ok(subject, f"process {pid}; {', '.join(f'{number} {state}' for state, number in states.items()) or 'idle'}")


def agents(namespace: str, mode: Mode, clock: Clock) -> Iterator[Finding]:
    """The agents of a namespace: one line for those that are well, and one for each of the others."""
    subject = "agents"
    now = clock.now()
    rows = list(SystemAgent.objects.filter(namespace=namespace).order_by("instance_name"))
    here = [row for row in rows if is_alive(row, now)]
    well = []
    for row in here:
        silent = now - row.last_heartbeat if row.last_heartbeat else None
        if silent is None or silent > _SILENT:
            for_s = f" for {silent.total_seconds():.0f} s" if silent is not None else ""
            found = f"{row.instance_name}, process {row.pid} on {row.hostname}, has been silent{for_s}"
            yield failed(subject, found, f"see its log; then: testbed agents restart {row.agent_type}")
        elif row.operational_state != SystemAgent.State.READY:
            found = f"{row.instance_name} is not ready: {row.description or 'it starts'}"
            yield warning(subject, found, "wait a little, and see its log")
        else:
            well.append(row.agent_type)
    # Who died without a word still counts as well in its row.
    gone = [row for row in rows if row not in here and row.status != SystemAgent.Status.EXITED and row.pid is not None]
    for row in gone:
        since = f" since {row.last_heartbeat:%Y-%m-%d %H:%M:%S} UTC" if row.last_heartbeat else ""
        found = f"{row.instance_name} ended without a word, on {row.hostname}{since}"
        yield warning(subject, found, "what it had in hand goes back when an agent of its role starts")
    if well:
        yield ok(subject, f"ready in namespace {namespace}: {', '.join(sorted(well))}")
    elif not here and mode is Mode.SERVICE:
        yield warning(
            subject, f"none is alive in namespace {namespace}", "start them: testbed up, start or start-local"
        )
    elif not here:
        yield ok(subject, f"none is at work in namespace {namespace}")
