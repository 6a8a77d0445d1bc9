"""Who is at work: the process that holds a data directory, or the agents' processes of the service mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from swf.core.times import Clock
from swf.service.identity import is_alive
from swf.service.workspace import Workspace
from swf.store.models import SystemAgent

State = SystemAgent.State


def process_at_work(workspace: Workspace, clock: Clock, namespace: str | None = None) -> int | None:
    """The number of a process that runs agents; None where none does. In service mode, the oldest one of the namespace
    (None: of any)."""
    if connection.vendor != "postgresql":
        return workspace.holder()
    rows = SystemAgent.objects.exclude(pid=None).exclude(status=SystemAgent.Status.EXITED).order_by("started_at")
    of_namespace = rows if namespace is None else rows.filter(namespace=namespace)
    return next((row.pid for row in of_namespace if is_alive(row, clock.now())), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """Why no agent of a role can play it at present, in words; `is_coming` where one is about to."""

    why: str
    is_coming: bool


def not_ready(namespace: str, roles: Iterable[str], now: datetime) -> Mapping[str, NotReady]:
    """Which of these roles no agent of a namespace can play at present, and why."""
    agents: dict[str, list[SystemAgent]] = {role: [] for role in roles}
    for row in SystemAgent.objects.filter(namespace=namespace, agent_type__in=agents).order_by("-last_heartbeat"):
        agents[row.agent_type].append(row)
    why = {role: _why_not(role, rows, now) for role, rows in agents.items()}
    return {role: found for role, found in why.items() if found is not None}


def ready_agents(namespace: str, role: str, now: datetime) -> int:
    """How many agents of a role are at work in a namespace."""
    rows = SystemAgent.objects.filter(namespace=namespace, agent_type=role, operational_state=State.READY)
    return sum(is_alive(row, now) for row in rows)


def _why_not(role: str, rows: list[SystemAgent], now: datetime) -> NotReady | None:
    """Why no agent of a role is ready; None where one is. The most recent one speaks for them."""
    alive = [row for row in rows if is_alive(row, now)]
    if any(row.operational_state == State.READY for row in alive):
        return None
    if alive:
        what = alive[0].description or "not subscribed yet"
        return NotReady(why=f"{alive[0].instance_name} is starting: {what}", is_coming=True)
    if not rows:
        return NotReady(why=f"no {role} agent was ever started in this namespace", is_coming=False)
    last = rows[0]
    beat = f"{last.last_heartbeat:%Y-%m-%d %H:%M:%S} UTC" if last.last_heartbeat else "never"
    ended = "has ended" if last.status == SystemAgent.Status.EXITED else "is gone without a word"
    return NotReady(why=f"{last.instance_name} {ended}; its last heartbeat: {beat}", is_coming=False)
