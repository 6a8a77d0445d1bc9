"""Live events where a server keeps the log: writers commit in any order, readers come and go."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from accounts import token_of, user_with
from event_rows import event_row
from services.monitor import EventReader, stream_server
from services.postgres import PostgresServer
from swf.core.times import SystemClock
from swf.monitor.live.feed import FeedLimits
from swf.store import events
from swf.store.models import Event
from swf.store.sequencer import Sequencer
from swf.web.roles import Role

pytestmark = pytest.mark.database("postgresql")

WRITERS = 3


@contextmanager
def at_work(*steps: Callable[[], object]) -> Iterator[None]:
    """Does each step again and again, on a thread of its own, until the end of the block."""
    ended = threading.Event()

    def working(step: Callable[[], object]) -> None:
        while not ended.wait(0.003):
            step()
        connection.close()

    threads = [threading.Thread(target=working, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def writer(name: str) -> Callable[[], None]:
    chance = random.Random(name)

    def write_some() -> None:
        with transaction.atomic():
            for part in range(chance.randint(1, 4)):
                events.append([event_row(f"{name}.{part}.{number}") for number in range(chance.randint(1, 5))])

    return write_some


def everything() -> list[int]:
    return [seq for seq in Event.objects.order_by("seq").values_list("seq", flat=True) if seq is not None]


def test_a_hundred_reconnects_miss_nothing_and_get_nothing_twice(store: Path) -> None:
    token = token_of(user_with("ann", {"*": Role.VIEWER}), Role.VIEWER)
    chance, sequencer = random.Random(3), Sequencer(SystemClock(), interval_s=0.0)
    seen: list[int] = []
    with stream_server(FeedLimits()) as server:
        with at_work(sequencer.step, *(writer(f"w{number}") for number in range(WRITERS))):
            for _ in range(100):
                with EventReader(server.url, token, "after=0", seen[-1] if seen else None) as reader:
                    seen += [event.seq for event in reader.take(chance.randint(1, 30))]
        sequencer.drain()
        with EventReader(server.url, token, last=seen[-1]) as reader:
            seen += [event.seq for event in reader.take(len(everything()) - len(seen))]
    assert len(seen) > 500
    assert seen == everything()


def test_readers_go_on_when_the_server_of_the_database_ends_their_connections(
    store: Path, postgres: PostgresServer, postgres_database: str
) -> None:
    token = token_of(user_with("ann", {"*": Role.VIEWER}), Role.VIEWER)
    sequencer = Sequencer(SystemClock(), interval_s=0.0, wake_interval_s=0.0)
    with stream_server(FeedLimits()) as server, EventReader(server.url, token, "after=0") as reader:
        for turn in range(3):
            events.append([event_row(f"s{turn}")])
            sequencer.drain()
            assert [event.data["subject"] for event in reader.take(1)] == [f"s{turn}"]
            connection.close()
            postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{postgres_database}' AND pid <> pg_backend_pid()"
            )
