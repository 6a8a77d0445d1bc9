"""Who the agents of a process are, and that they live."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from swf.core.names import agent_name
from swf.core.times import Clock
from swf.messaging.turn import Identity
from swf.store.counters import next_number
from swf.store.models import SystemAgent

HEARTBEAT_S = 10.0


def enlist(role: str, user: str, namespace: str, clock: Clock) -> Identity:
    """The identity of this user's agent of a role in a namespace: the same at every start, with one row for all."""
    with transaction.atomic():
        # "ann" is not "ann-b": behind the user's name there is only a number.
        prefix = f"{role}-agent-{user}-"
        rows = SystemAgent.objects.filter(namespace=namespace, agent_type=role, instance_name__startswith=prefix)
        row = next((row for row in rows if row.instance_name.removeprefix(prefix).isdigit()), None)
        if row is None:
            row = SystemAgent(
                instance_name=agent_name(role, user, next_number("agent")), agent_type=role, namespace=namespace
            )
        row.status = SystemAgent.Status.OK
        row.pid, row.hostname = os.getpid(), socket.gethostname()[:100]
        row.started_at = row.last_heartbeat = clock.now()
        row.starts += 1
        row.save()
    return Identity(name=row.instance_name, role=role, namespace=namespace)


class Heartbeats:
    """Says at intervals that the agents of this process live, and at the end that they are gone."""

    def __init__(self, identities: Sequence[Identity], clock: Clock) -> None:
        self._names = [identity.name for identity in identities]
        self._clock = clock
        self._due = 0.0

    def step(self) -> None:
        """One update for all agents, when it is time."""
        if self._clock.monotonic() >= self._due:
            self._rows().update(last_heartbeat=self._clock.now(), status=SystemAgent.Status.OK)
            self._due = self._clock.monotonic() + HEARTBEAT_S

    def exited(self) -> None:
        """The agents end in good order."""
        self._rows().update(last_heartbeat=self._clock.now(), status=SystemAgent.Status.EXITED, pid=None)

    def _rows(self) -> QuerySet[SystemAgent]:
        return SystemAgent.objects.filter(pk__in=self._names)
