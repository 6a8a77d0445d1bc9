"""The agents, by their rows. Imports models: the store is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from swf.core.modes import Mode
from swf.core.times import Clock
from swf.service.doctor.finding import Finding, failed, ok, warning
from swf.service.identity import HEARTBEAT_S, is_alive
from swf.store.models import SystemAgent

_SILENT: Final = timedelta(seconds=3 * HEARTBEAT_S)


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
