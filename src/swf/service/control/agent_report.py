"""How one agent is: its process and its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from swf.service.control.log_tail import log_tail
from swf.service.control.programs import log_of
from swf.service.control.supervisor import ProcessState
from swf.service.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReport:
    """One agent: its process, and its row of this start."""

    program: str
    role: str
    state: ProcessState
    pid: int | None
    uptime_s: int | None
    ready: bool
    instance: str
    """Its name; empty where this start has no row yet."""
    status: str
    """What its last sign of life said; empty where this start has no row yet."""
    heartbeat: datetime | None
    why: str
    """Why it is not ready, as far as can be told; empty where it is."""


def told_why(report: AgentReport, root: Path) -> str:
    """Why an agent is not ready, with what its log has of that."""
    if report.instance:
        # It got as far as having a log of its own, of which only what went wrong is of interest.
        log = Workspace(root=root).logs / f"{report.instance}.log"
        lines = log_tail(log, wanted=_is_trouble)
    else:
        log = root / log_of(report.program)
        lines = log_tail(log)
    shown = "".join(f"\n    {line}" for line in lines)
    return f"{report.program} is not ready: {report.why}; its log is {log}{':' if shown else ''}{shown}"


def _is_trouble(line: str) -> bool:
    return '"level": "ERROR"' in line or '"level": "WARNING"' in line
