"""How one agent is: its process and its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from swf.service.control.log_tail import log_tail
from swf.service.control.programs import log_of
from swf.service.control.supervisor import ALIVE, ProcessState


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

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self.state in ALIVE


def told_why(report: AgentReport, root: Path) -> str:
    """Why an agent is not ready, with the end of its log."""
    log = root / log_of(report.program)
    lines = "".join(f"\n    {line}" for line in log_tail(log))
    return f"{report.program} is not ready: {report.why}; its log is {log}{':' if lines else ', and empty'}{lines}"
