"""Who the agents of a process are, and that they live."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from swf.core.names import agent_name
from swf.core.times import Clock
from swf.messaging.turn import Identity
from swf.store.counters import next_number
from swf.store.models import SystemAgent

HEARTBEAT_S = 10.0
SILENT_S = 60.0
"""An agent on another host without a heartbeat for this long has gone."""

_BORN = "born"
"""In an agent's metadata: when its process began, in the kernel's ticks; a number of a process comes again."""


def enlist(role: str, user: str, namespace: str, clock: Clock) -> Identity:
    """The identity of this user's agent of a role in a namespace: the same at every start, with one row for all.

    Where another process has it, this one is a further agent of the role, with a row of its own.
    """
    with transaction.atomic():
        # "ann" is not "ann-b": behind the user's name there is only a number.
        prefix = f"{role}-agent-{user}-"
        rows = SystemAgent.objects.filter(namespace=namespace, agent_type=role, instance_name__startswith=prefix)
        # The rows are locked: of two processes that look at one time, the second one sees what the first one took.
        known = [row for row in rows.select_for_update() if row.instance_name.removeprefix(prefix).isdigit()]
        known.sort(key=lambda row: int(row.instance_name.removeprefix(prefix)))
        row = next((row for row in known if not is_alive(row, clock.now()) or row.pid == os.getpid()), None)
        if row is None:
            row = SystemAgent(
                instance_name=agent_name(role, user, next_number("agent")), agent_type=role, namespace=namespace
            )
        row.status, row.operational_state = SystemAgent.Status.OK, SystemAgent.State.STARTING
        row.description = ""
        row.pid, row.hostname = os.getpid(), _hostname()
        row.metadata = {_BORN: _born(os.getpid())}
        row.started_at = row.last_heartbeat = clock.now()
        row.starts += 1
        row.save()
    return Identity(name=row.instance_name, role=role, namespace=namespace, start=row.starts)


def is_alive(agent: SystemAgent, now: datetime) -> bool:
    """Whether an agent's process is there: on this host the kernel is asked, elsewhere its heartbeat tells."""
    if agent.status == SystemAgent.Status.EXITED or agent.pid is None:
        return False
    if agent.hostname == _hostname():
        born = _born(agent.pid)
        return born is not None and agent.metadata.get(_BORN) in {None, born}
    return agent.last_heartbeat is not None and now - agent.last_heartbeat < timedelta(seconds=SILENT_S)


class Heartbeats:
    """Says at intervals that the agents of this process live, at once when they become ready or cease to be, and at the
    end that they are gone.

    Args:
        identities: the agents.
        clock: tells when the next one is due.
        trouble: why the agents cannot work, in words; empty where they can.
        say: told the same as the rows, for listeners outside: status and operational state.
    """

    def __init__(
        self,
        identities: Sequence[Identity],
        clock: Clock,
        *,
        trouble: Callable[[], str] = lambda: "",
        say: Callable[[str, str], object] = lambda status, state: None,
    ) -> None:
        self._names = [identity.name for identity in identities]
        self._clock = clock
        self._trouble = trouble
        self._say = say
        self._due = 0.0
        self._said: str | None = None

    def step(self) -> None:
        """One update for all agents, when it is time or something has changed."""
        trouble = self._trouble()
        if self._clock.monotonic() < self._due and trouble == self._said:
            return
        state = SystemAgent.State.STARTING if trouble else SystemAgent.State.READY
        status = SystemAgent.Status.WARNING if trouble else SystemAgent.Status.OK
        self._rows().update(
            last_heartbeat=self._clock.now(), status=status, operational_state=state, description=trouble[:250]
        )
        self._due, self._said = self._clock.monotonic() + HEARTBEAT_S, trouble
        self._say(status, state)

    def exited(self) -> None:
        """The agents end in good order."""
        gone = SystemAgent.Status.EXITED
        self._rows().update(
            last_heartbeat=self._clock.now(), status=gone, operational_state=SystemAgent.State.EXITED, pid=None
        )
        self._say(gone, SystemAgent.State.EXITED)

    def _rows(self) -> QuerySet[SystemAgent]:
        return SystemAgent.objects.filter(pk__in=self._names)


def _hostname() -> str:
    return socket.gethostname()[:100]


def _born(pid: int) -> int | None:
    """When a process of this host began, in ticks since the kernel's start; None where there is none of that number, or
    it has ended and its parent has not taken note of that yet."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # Behind the name, which may contain anything but ends with the last bracket: state is the first, start the 20th.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])
