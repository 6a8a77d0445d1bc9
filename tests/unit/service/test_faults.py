"""A process that ends itself at a chosen boundary."""

from __future__ import annotations

import os
import signal

import pytest

from swf.service.faults import BoundaryLog


def test_boundaries_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(number))
    log = BoundaryLog("data.before_commit:2")
    for name in ("data.before_commit", "data.after_commit", "data.before_commit", "data.before_commit"):
        log(name)
    assert log.reached == {"data.before_commit": 3, "data.after_commit": 1}
    assert killed == [signal.SIGKILL], "at the second time, and only then"


def test_without_a_choice_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda pid, number: pytest.fail("it was ended"))
    log = BoundaryLog()
    log("")
    log("data.before_commit")
    assert sum(log.reached.values()) == 2
