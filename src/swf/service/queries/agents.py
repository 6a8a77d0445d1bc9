"""Agents: who is there, and how each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.service.identity import is_alive
from swf.service.queries.runs_seen import of_namespace
from swf.store.filters import Filter, instant, words
from swf.store.listing import Listing, both
from swf.store.models import SystemAgent


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLine(Shown):
    """An agent in one line. `status` and `state` are what it said last; `alive` says whether it still gives signs of
    life, and `why` why it is not ready, where it is not."""

    name: str
    role: str
    namespace: str
    status: str
    state: str
    alive: bool
    why: str
    last_heartbeat: datetime | None
    started: datetime | None
    starts: int
    pid: int | None
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDetail(Shown):
    """An agent; `messages_sent` is the number of its last message, over all its starts."""

    name: str
    role: str
    namespace: str
    status: str
    state: str
    alive: bool
    why: str
    last_heartbeat: datetime | None
    started: datetime | None
    starts: int
    pid: int | None
    host: str
    messages_sent: int
    metadata: dict[str, Any]


def show_agent(name: str, scene: Scene) -> AgentDetail:
    """An agent.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = SystemAgent.objects.filter(pk=name).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no agent {name[:100]!r} {here(scene.namespaces)}")
    (line,) = _lines([row], scene)
    return AgentDetail(
        **{field: getattr(line, field) for field in AgentLine.__slots__},
        messages_sent=row.sender_seq,
        metadata=row.metadata,
    )


def _lines(rows: Sequence[SystemAgent], scene: Scene) -> list[AgentLine]:
    return [
        AgentLine(
            name=row.instance_name,
            role=row.agent_type,
            namespace=row.namespace,
            status=row.status,
            state=row.operational_state,
            alive=row.status != SystemAgent.Status.EXITED and is_alive(row, scene.now),
            why=row.description,
            last_heartbeat=row.last_heartbeat,
            started=row.started_at,
            starts=row.starts,
            pid=row.pid,
            host=row.hostname,
        )
        for row in rows
    ]


AGENTS = Listing(
    name="agents",
    text="Agents, by name.",
    rows=SystemAgent.objects.all,
    lines=_lines,
    line=AgentLine,
    filters={
        "namespace": of_namespace(),
        "role": Filter(text="Of this role.", lookup="agent_type"),
        "status": words("Whose last sign of life said so.", "status", SystemAgent.Status.values),
        "state": words("That said it was doing this.", "operational_state", SystemAgent.State.values),
        "host": Filter(text="Of this host.", lookup="hostname"),
        "since": instant("Whose last heartbeat is of this instant or later.", "last_heartbeat__gte"),
    },
    orders=both("name", "instance_name", newest_first=False),
)
