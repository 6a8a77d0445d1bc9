"""The supervisord of a data directory."""

from __future__ import annotations

from collections import Counter
from typing import Final

from swf.core.errors import SwfError
from swf.service.control.place import ControlPlace
from swf.service.control.supervisor import ProcessState, Supervisor
from swf.service.doctor.finding import Finding, failed, ok, warning
from swf.service.workspace import Workspace

_NOT_WELL: Final = frozenset({ProcessState.BACKOFF, ProcessState.FATAL, ProcessState.UNKNOWN})


def finding(workspace: Workspace) -> Finding:
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
