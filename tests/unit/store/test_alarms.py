"""Alarms: raised once, brought up to date, cleared."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError

from swf.core.times import ManualClock
from swf.store import alarms
from swf.store.models import Alarm


def raised(clock: ManualClock, key: str, text: str = "it is full", namespace: str = "testbed") -> bool:
    return alarms.raise_alarm(namespace, key, text=text, what_to_do="prune", run_number=7, now=clock.now())


def test_an_alarm_is_raised_once_and_its_text_is_the_latest(store: Path) -> None:
    clock = ManualClock()
    began = clock.now()
    assert raised(clock, "buffer")
    clock.advance(60)
    assert not raised(clock, "buffer", "it is still full")
    alarm = Alarm.objects.get()
    assert (alarm.text, alarm.raised_at, alarm.cleared_at) == ("it is still full", began, None)
    assert (alarm.what_to_do, alarm.run_number, alarm.severity) == ("prune", 7, "warning")


def test_one_that_was_cleared_is_raised_anew(store: Path) -> None:
    clock = ManualClock()
    raised(clock, "buffer")
    clock.advance(1)
    assert alarms.clear("testbed", "buffer", clock.now())
    assert not alarms.clear("testbed", "buffer", clock.now())
    clock.advance(1)
    assert raised(clock, "buffer")
    first, second = Alarm.objects.order_by("id")
    assert first.cleared_at is not None
    assert second.cleared_at is None
    assert (second.raised_at - first.raised_at).total_seconds() == 2


def test_an_acknowledgement_stays_while_the_alarm_does(store: Path) -> None:
    clock = ManualClock()
    raised(clock, "buffer")
    Alarm.objects.update(acknowledged_by="ann", acknowledged_at=clock.now())
    raised(clock, "buffer", "worse")
    assert Alarm.objects.get().acknowledged_by == "ann"


def test_those_whose_cause_is_gone_are_cleared_and_no_others(store: Path) -> None:
    clock = ManualClock()
    for key in ("watcher.a", "watcher.b", "buffer"):
        raised(clock, key)
    raised(clock, "watcher.b", namespace="prod")
    assert alarms.clear_others("testbed", "watcher.", {"watcher.a"}, clock.now()) == 1
    left = Alarm.objects.filter(cleared_at=None).order_by("id").values_list("namespace", "key")
    assert list(left) == [("testbed", "watcher.a"), ("testbed", "buffer"), ("prod", "watcher.b")]
    assert alarms.clear_others("testbed", "watcher.", set(), clock.now()) == 1


def test_the_database_holds_at_most_one_uncleared_alarm_of_a_key(store: Path) -> None:
    clock = ManualClock()
    raised(clock, "buffer")
    with pytest.raises(IntegrityError):
        Alarm.objects.create(namespace="testbed", key="buffer", text="again", raised_at=clock.now())
