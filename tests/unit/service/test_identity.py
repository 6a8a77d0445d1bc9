"""Who the agents are: the same at every start, and nobody else."""

from __future__ import annotations

from pathlib import Path

from swf.core.times import ManualClock
from swf.service.identity import HEARTBEAT_S, Heartbeats, enlist
from swf.store.models import SystemAgent

CLOCK = ManualClock()


def test_an_agent_keeps_its_name_over_all_its_starts(store: Path) -> None:
    first = enlist("data", "ann", "testbed", CLOCK)
    again = enlist("data", "ann", "testbed", CLOCK)
    assert first == again
    assert first.name == "data-agent-ann-1"
    row = SystemAgent.objects.get()
    assert (row.starts, row.status, row.agent_type, row.namespace) == (2, "OK", "data", "testbed")
    assert row.pid is not None


def test_each_role_user_and_namespace_has_an_agent_of_its_own(store: Path) -> None:
    names = [
        enlist(role, user, namespace, CLOCK).name
        for role, user, namespace in (
            ("data", "ann", "testbed"),
            ("fastmon", "ann", "testbed"),
            ("data", "bob", "testbed"),
            ("data", "ann", "prod"),
        )
    ]
    assert names == ["data-agent-ann-1", "fastmon-agent-ann-2", "data-agent-bob-3", "data-agent-ann-4"]


def test_a_user_whose_name_begins_like_another_s_is_another(store: Path) -> None:
    longer = enlist("data", "ann-b", "testbed", CLOCK)
    shorter = enlist("data", "ann", "testbed", CLOCK)
    assert longer.name == "data-agent-ann-b-1"
    assert shorter.name == "data-agent-ann-2"
    assert enlist("data", "ann-b", "testbed", CLOCK) == longer
    assert enlist("data", "ann", "testbed", CLOCK) == shorter
    assert enlist("data", "a_n", "testbed", CLOCK).name == "data-agent-a_n-3", "an underscore is only itself"


def test_the_numbers_of_its_messages_survive_a_start(store: Path) -> None:
    identity = enlist("data", "ann", "testbed", CLOCK)
    SystemAgent.objects.filter(pk=identity.name).update(sender_seq=41)
    enlist("data", "ann", "testbed", CLOCK)
    assert SystemAgent.objects.get().sender_seq == 41


def test_agents_give_signs_of_life_at_intervals_and_say_good_bye(store: Path) -> None:
    clock = ManualClock()
    identities = [enlist(role, "ann", "testbed", clock) for role in ("data", "fastmon")]
    beats = Heartbeats(identities, clock)
    beats.step()
    clock.advance(HEARTBEAT_S - 1)
    beats.step()
    assert set(SystemAgent.objects.values_list("last_heartbeat", flat=True)) == {ManualClock().now()}
    clock.advance(1)
    beats.step()
    assert set(SystemAgent.objects.values_list("last_heartbeat", flat=True)) == {clock.now()}
    beats.exited()
    assert set(SystemAgent.objects.values_list("status", "pid")) == {("EXITED", None)}
