"""What the doctor says of agents, by their rows, and of supervisord."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from swf.core.modes import Mode
from swf.core.times import ManualClock
from swf.service.doctor import crew, supervision
from swf.service.doctor.finding import Finding, Verdict
from swf.service.identity import Heartbeats, enlist
from swf.service.workspace import Workspace
from swf.store.models import SystemAgent

CLOCK = ManualClock()

pytestmark = pytest.mark.usefixtures("store")


def look(mode: Mode = Mode.SERVICE) -> list[Finding]:
    return list(crew.agents("testbed", mode, CLOCK))


def test_agents_that_are_ready_are_one_line() -> None:
    Heartbeats([enlist(role, "ann", "testbed", CLOCK) for role in ("data", "watcher")], CLOCK).step()
    enlist("data", "ann", "other", CLOCK)
    (found,) = look()
    assert (found.verdict, found.found) == (Verdict.OK, "ready in namespace testbed: data, watcher")


def test_one_that_is_not_ready_says_why() -> None:
    agents = Heartbeats([enlist("data", "ann", "testbed", CLOCK)], CLOCK, trouble=lambda: "no connection to the broker")
    agents.step()
    (found,) = look()
    assert found.verdict is Verdict.WARNING
    assert "is not ready: no connection to the broker" in found.found


def test_one_that_is_silent_has_failed() -> None:
    identity = enlist("data", "ann", "testbed", CLOCK)
    SystemAgent.objects.update(last_heartbeat=CLOCK.now() - timedelta(seconds=95))
    (found,) = look()
    assert found.verdict is Verdict.FAILED
    assert f"{identity.name}, process {os.getpid()}" in found.found
    assert "has been silent for 95 s" in found.found
    assert "testbed agents restart data" in found.advice


def test_one_that_died_without_a_word_is_named() -> None:
    enlist("data", "ann", "testbed", CLOCK)
    SystemAgent.objects.update(pid=2**22 + 1)
    first, second = look()
    assert (first.verdict, "ended without a word" in first.found) == (Verdict.WARNING, True)
    assert (second.verdict, "none is alive" in second.found) == (Verdict.WARNING, True)


def test_one_that_left_in_good_order_is_not_missed_in_embedded_mode() -> None:
    Heartbeats([enlist("data", "ann", "testbed", CLOCK)], CLOCK).exited()
    (found,) = look(Mode.EMBEDDED)
    assert found.verdict is Verdict.OK


def test_without_supervisord_it_says_who_starts_one(tmp_path: Path) -> None:
    found = supervision.finding(Workspace(root=tmp_path))
    assert (found.verdict, found.found) == (Verdict.WARNING, "none runs here")
    assert "testbed up" in found.advice
