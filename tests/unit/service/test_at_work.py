"""Which agents are ready: a run starts only with all that it needs, and otherwise says which is not, and why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from swf.core.times import ManualClock
from swf.service.at_work import not_ready, ready_agents
from swf.service.identity import Heartbeats, enlist
from swf.store.models import SystemAgent

CLOCK = ManualClock()
NS = "testbed"


def ready(role: str, namespace: str = NS) -> str:
    """An agent of this process that is subscribed."""
    identity = enlist(role, "ann", namespace, CLOCK)
    Heartbeats([identity], CLOCK).step()
    return identity.name


def why(*roles: str) -> dict[str, str]:
    return {role: found.why for role, found in not_ready(NS, roles, CLOCK.now()).items()}


def is_coming(role: str) -> bool:
    return not_ready(NS, [role], CLOCK.now())[role].is_coming


def test_agents_that_are_ready_are_not_named(store: Path) -> None:
    for role in ("data", "worker"):
        ready(role)
    assert why("data", "worker") == {}
    assert ready_agents(NS, "worker", CLOCK.now()) == 1


def test_a_role_that_was_never_started_is_named(store: Path) -> None:
    ready("worker", "prod")
    assert why("worker") == {"worker": "no worker agent was ever started in this namespace"}
    assert not is_coming("worker")


def test_one_that_is_starting_says_what_it_waits_for(store: Path) -> None:
    identity = enlist("data", "ann", NS, CLOCK)
    assert why("data") == {"data": f"{identity.name} is starting: not subscribed yet"}
    assert is_coming("data")
    Heartbeats([identity], CLOCK, trouble=lambda: "no connection to the broker: refused").step()
    assert why("data") == {"data": f"{identity.name} is starting: no connection to the broker: refused"}


def test_one_that_has_left_and_one_that_was_killed_are_told_apart(store: Path) -> None:
    name = ready("data")
    SystemAgent.objects.update(pid=None, status=SystemAgent.Status.EXITED)
    assert why("data")["data"].startswith(f"{name} has ended; its last heartbeat: ")
    SystemAgent.objects.update(
        pid=1, hostname="elsewhere", status="OK", last_heartbeat=CLOCK.now() - timedelta(hours=1)
    )
    assert why("data")["data"].startswith(f"{name} is gone without a word; its last heartbeat: ")


def test_one_ready_agent_of_several_is_enough(store: Path) -> None:
    first = ready("worker")
    SystemAgent.objects.filter(pk=first).update(pid=1, hostname="elsewhere", last_heartbeat=CLOCK.now())
    second = enlist("worker", "ann", NS, CLOCK)
    assert second.name != first
    assert why("worker") == {}
