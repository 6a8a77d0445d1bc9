"""Processes whose hosts' clocks differ by an hour agree on the instant, on leases and on who lives."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from services.postgres import PostgresServer
from swf.core.times import Clock, ManualClock, SystemClock
from swf.service.identity import SILENT_S, Heartbeats, enlist, is_alive
from swf.store import database
from swf.store.models import SystemAgent
from swf.store.shared_clock import DatabaseClock

pytestmark = [pytest.mark.services, pytest.mark.database("postgresql")]

HOUR = timedelta(hours=1)


def host(ahead: timedelta) -> ManualClock:
    """The clock of a host, which is so far ahead of the database's."""
    return ManualClock(SystemClock().now() + ahead)


def differ(one: Clock, other: Clock) -> bool:
    return abs(one.now() - other.now()) > timedelta(seconds=30)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_host_whose_clock_is_wrong_goes_by_the_database(store: Path, ahead: timedelta) -> None:
    local = host(ahead)
    shared = DatabaseClock(local)
    assert shared.now() == local.now()
    shared.synchronise()
    assert not differ(shared, SystemClock())
    before = shared.now()
    local.leap(-7200)
    assert shared.now() == before
    local.advance(5)
    assert shared.now() - before == timedelta(seconds=5)
    assert shared.monotonic() == local.monotonic()


def test_it_asks_again_now_and_then_and_follows_the_database(store: Path) -> None:
    local = host(HOUR)
    shared = DatabaseClock(local)
    shared.step()
    local.advance(3600)
    assert differ(shared, SystemClock())
    assert not shared.step()
    assert not differ(shared, SystemClock())


def test_while_the_database_is_away_it_goes_on(store: Path, postgres: PostgresServer) -> None:
    local = host(HOUR)
    shared = DatabaseClock(local)
    shared.synchronise()
    postgres.kill()
    local.advance(60)
    with pytest.raises(OperationalError):
        shared.step()
    postgres.start()
    database.recover()
    assert timedelta(seconds=50) < shared.now() - SystemClock().now() < timedelta(seconds=70)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_agents_of_hosts_with_other_clocks_are_alive(store: Path, ahead: timedelta) -> None:
    here, there = DatabaseClock(host(timedelta())), DatabaseClock(host(ahead))
    for clock in (here, there):
        clock.synchronise()
    identity = enlist("worker", "ann", "testbed", there)
    Heartbeats([identity], there).step()
    SystemAgent.objects.update(hostname="elsewhere", pid=1)
    assert is_alive(SystemAgent.objects.get(), here.now())
    assert not is_alive(SystemAgent.objects.get(), here.now() + timedelta(seconds=SILENT_S + 30))
    # So its name is not given to a second process, which would speak in its stead.
    assert enlist("worker", "ann", "testbed", here).name != identity.name
    assert connection.vendor == "postgresql"
