"""Who the agents are: the same at every start, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from swf.core.times import ManualClock
from swf.service.identity import HEARTBEAT_S, SILENT_S, Heartbeats, enlist
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


@pytest.fixture
def another() -> Iterator[int]:
    """A process that lives, and is not this one."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def held_by(pid: int | None, **changes: object) -> str:
    """The agent's row is another process's; returns its name."""
    identity = enlist("worker", "ann", "testbed", CLOCK)
    SystemAgent.objects.filter(pk=identity.name).update(pid=pid, **changes)
    return identity.name


def test_an_agent_whose_process_lives_keeps_its_name_and_a_further_one_gets_another(store: Path, another: int) -> None:
    name = held_by(another, metadata={})
    second = enlist("worker", "ann", "testbed", CLOCK)
    assert (name, second.name) == ("worker-agent-ann-1", "worker-agent-ann-2")


def test_the_number_of_a_process_that_was_given_anew_is_no_sign_of_life(store: Path, another: int) -> None:
    name = held_by(another, metadata={"born": 1})
    assert enlist("worker", "ann", "testbed", CLOCK).name == name


def test_a_killed_agent_is_followed_by_one_of_its_name(store: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    name = held_by(process.pid, metadata={})
    assert enlist("worker", "ann", "testbed", CLOCK).name == name


def test_a_process_that_has_ended_and_is_still_listed_is_gone(store: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        name = held_by(process.pid, metadata={})
        assert Path(f"/proc/{process.pid}").exists()
        assert enlist("worker", "ann", "testbed", CLOCK).name == name


def test_an_agent_on_another_host_lives_as_long_as_its_heartbeat(store: Path) -> None:
    name = held_by(1, hostname="elsewhere", last_heartbeat=CLOCK.now() - timedelta(seconds=30))
    assert enlist("worker", "ann", "testbed", CLOCK).name != name
    SystemAgent.objects.filter(pk=name).update(last_heartbeat=CLOCK.now() - timedelta(seconds=SILENT_S + 1))
    assert enlist("worker", "ann", "testbed", CLOCK).name == name


def test_an_agent_that_has_left_is_gone_whatever_its_number(store: Path, another: int) -> None:
    name = held_by(another, metadata={}, status=SystemAgent.Status.EXITED)
    assert enlist("worker", "ann", "testbed", CLOCK).name == name


def test_why_an_agent_cannot_work_is_said_at_once_and_taken_back_at_once(store: Path) -> None:
    trouble, said = [""], []
    identity = enlist("data", "ann", "testbed", CLOCK)
    assert SystemAgent.objects.get().operational_state == "STARTING"
    beats = Heartbeats(
        [identity], ManualClock(), trouble=lambda: trouble[0], say=lambda status, state: said.append((status, state))
    )
    rows = []
    for text in ("no connection", "no connection", "", ""):
        trouble[0] = text
        beats.step()
        row = SystemAgent.objects.get()
        rows.append((row.status, row.operational_state, row.description))
    beats.exited()
    waiting, ready = ("WARNING", "STARTING", "no connection"), ("OK", "READY", "")
    assert rows == [waiting, waiting, ready, ready]
    assert said == [("WARNING", "STARTING"), ("OK", "READY"), ("EXITED", "EXITED")], "once per change"
