"""Whether agents are ready: what supervisord knows of their processes, and what their rows say. Imports models."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from swf.core.times import Clock
from swf.service.control.agent_report import AgentReport
from swf.service.control.agents import is_agent, role_of
from swf.service.control.supervisor import Process, ProcessState, Supervisor
from swf.service.control.waiting import Tell, wait_until
from swf.store.models import SystemAgent

READY_S: Final = 60.0
"""How long agents are waited for."""

_ENDED_TIMES: Final = 3
"""How often a process may end before it is no longer waited for."""


def reports(supervisor: Supervisor) -> list[AgentReport]:
    """The agents of a supervisord, by name.

    Raises:
        ServiceError: it does not answer.
    """
    processes = [process for process in supervisor.processes() if is_agent(process.name)]
    pids = [process.pid for process in processes if process.pid is not None]
    rows = SystemAgent.objects.filter(pid__in=pids, hostname=socket.gethostname()[:100])
    by_pid = {row.pid: row for row in rows}
    return [_report(process, by_pid) for process in processes]


def wait_ready(supervisor: Supervisor, programs: Sequence[str], clock: Clock, tell: Tell) -> list[AgentReport]:
    """Wait until these agents are ready, at most a minute; each is told of. Returns how they are then.

    Raises:
        ServiceError: supervisord does not answer.
    """
    told: set[str] = set()
    ended: dict[str, set[int]] = {name: set() for name in programs}
    seen: dict[str, int | None] = {}
    begin = clock.monotonic()

    def look() -> bool:
        now = [report for report in reports(supervisor) if report.program in ended]
        for report in now:
            before = seen.get(report.program)
            if before is not None and before != report.pid:
                ended[report.program].add(before)
            seen[report.program] = report.pid
            if report.ready and report.program not in told:
                told.add(report.program)
                tell(f"{report.program}: ready ({clock.monotonic() - begin:.1f} s)")
        return all(report.ready or _hopeless(report, ended) for report in now)

    wait_until(look, READY_S, clock)
    return [_judged(report, ended) for report in reports(supervisor) if report.program in ended]


def _hopeless(report: AgentReport, ended: Mapping[str, set[int]]) -> bool:
    return report.state is ProcessState.FATAL or len(ended[report.program]) >= _ENDED_TIMES


def _judged(report: AgentReport, ended: Mapping[str, set[int]]) -> AgentReport:
    if report.ready or not _hopeless(report, ended):
        return report
    return replace(report, why="its process ends soon after it is started, again and again")


def _report(process: Process, rows: Mapping[int | None, SystemAgent]) -> AgentReport:
    row = rows.get(process.pid) if process.pid is not None else None
    ready = row is not None and row.operational_state == SystemAgent.State.READY
    return AgentReport(
        program=process.name,
        role=role_of(process.name),
        state=process.state,
        pid=process.pid,
        uptime_s=process.uptime_s,
        ready=ready,
        instance=row.instance_name if row is not None else "",
        status=row.status if row is not None else "",
        heartbeat=row.last_heartbeat if row is not None else None,
        why="" if ready else _why(process, row),
    )


def _why(process: Process, row: SystemAgent | None) -> str:
    if process.state is ProcessState.STOPPED:
        return "it was stopped"
    if process.pid is None:
        return f"its process does not stay: {process.trouble or process.state}"
    if row is None:
        return "its process runs, and has not said yet that it lives"
    return row.description or "it has not said yet that it is ready"
