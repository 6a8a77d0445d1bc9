"""The event log on PostgreSQL: transactions commit in any order, and a reader's cursor misses nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from services.child import output, start
from services.postgres import PostgresServer
from swf.core.times import ManualClock, SystemClock
from swf.store import bulk, events
from swf.store.events import EventFilter
from swf.store.models import Counter, Event
from swf.store.sequencer import CHANNEL, LOCK, Sequencer
from swf.store.wakeups import WakeUps

pytestmark = pytest.mark.database("postgresql")

INSERT = (
    "INSERT INTO store_event (kind, type, namespace, execution_id, subject, sender, sender_seq, destination,"
    " created_at, body) VALUES ('transition', 'x', 'testbed', '', %s, %s, 0, '', now(), '{}')"
)

WRITER = """
import sys
from services.child import open_database
open_database()
from django.db import transaction
from swf.core.times import SystemClock
from swf.store import events
name, turns = sys.argv[1], int(sys.argv[2])
for turn in range(turns):
    with transaction.atomic():
        for part in range(turn % 7 + 1):
            events.append([
                {"kind": "transition", "type": "x", "namespace": "testbed", "sender": name,
                 "subject": f"{name}.{turn}.{part}", "created_at": SystemClock().now(), "body": "{}"}
            ])
"""


class Reader:
    """Follows the log with a cursor."""

    def __init__(self) -> None:
        self.seq = 0
        self.seen: list[tuple[int, str]] = []

    def read(self, limit: int = 500) -> bool:
        rows = events.after(self.seq, limit)
        for row in rows:
            assert row.seq is not None
            self.seq = row.seq
            self.seen.append((row.seq, row.subject))
        return bool(rows)

    @property
    def subjects(self) -> list[str]:
        return [subject for _, subject in self.seen]


def sequencer(batch: int = 2000) -> Sequencer:
    return Sequencer(SystemClock(), batch=batch, interval_s=0.0, wake_interval_s=0.0)


def row(subject: str) -> dict[str, Any]:
    clock = ManualClock()
    return {
        "kind": "transition",
        "type": "x",
        "namespace": "testbed",
        "sender": "a",
        "subject": subject,
        "created_at": clock.now(),
        "body": "{}",
    }


@pytest.fixture
def sessions(postgres: PostgresServer, postgres_database: str, store: Path) -> Iterator[Callable[[], Any]]:
    """Opens connections of other processes."""
    opened: list[Any] = []

    def session() -> Any:
        opened.append(psycopg.connect(**postgres.parameters(postgres_database)))
        return opened[-1]

    yield session
    for each in opened:
        each.close()


def test_a_row_has_no_number_before_the_sequencer_gives_it_one(store: Path) -> None:
    events.append([row("a"), row("b")])
    assert events.after(0) == []
    assert (events.unnumbered(), events.latest()) == (2, 0)
    assert not sequencer().step()
    assert [(each.seq, each.subject) for each in events.after(0)] == [(1, "a"), (2, "b")]
    assert (events.unnumbered(), events.latest()) == (0, 2)


@pytest.mark.parametrize("seed", range(8))
def test_a_reader_misses_no_row_and_gets_none_twice_in_whatever_order_writers_commit(
    sessions: Callable[[], Any], seed: int
) -> None:
    numbers, reader = sequencer(batch=[1, 3, 2000][seed % 3]), Reader()
    committed = write_in_disorder(sessions, random.Random(seed), numbers.step, reader)
    numbers.drain()
    while reader.read():
        pass
    assert sorted(reader.subjects) == sorted(committed)
    assert [seq for seq, _ in reader.seen] == list(range(1, len(committed) + 1))
    assert len(committed) > 50


def test_numbers_that_are_taken_at_insert_are_missed(sessions: Callable[[], Any]) -> None:
    """What the sequencer is for; and the test before this one can fail."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE at_insert")
        cursor.execute("ALTER TABLE store_event ALTER COLUMN seq SET DEFAULT nextval('at_insert')")
    reader = Reader()
    committed = write_in_disorder(sessions, random.Random(0), lambda: None, reader)
    while reader.read():
        pass
    assert set(reader.subjects) < set(committed)


def write_in_disorder(
    sessions: Callable[[], Any], rng: random.Random, number: Callable[[], object], reader: Reader
) -> list[str]:
    """Eight writers, each with its transaction, whose inserts, commits and rollbacks mix with numbering and reading as
    the dice fall. Returns the subjects of all rows that were committed."""
    writers = [sessions() for _ in range(8)]
    pending: list[list[str]] = [[] for _ in writers]
    committed: list[str] = []
    for turn in range(400):
        who = rng.randrange(len(writers))
        match rng.choice(["write", "write", "commit", "rollback", "number", "read"]):
            case "write":
                pending[who].append(f"{who}.{turn}")
                writers[who].execute(INSERT, [pending[who][-1], str(who)])
            case "commit":
                writers[who].commit()
                committed += pending[who]
                pending[who] = []
            case "rollback":
                writers[who].rollback()
                pending[who] = []
            case "number":
                number()
            case "read":
                reader.read(limit=rng.choice([1, 5, 500]))
    for writer, left in zip(writers, pending, strict=True):
        writer.commit()
        committed += left
    return committed


def test_a_reader_follows_processes_that_write_all_at_the_same_time(
    postgres: PostgresServer, postgres_database: str, store: Path
) -> None:
    writers = [start(WRITER, postgres, postgres_database, f"w{n}", "60") for n in range(4)]
    reader, mine = Reader(), sequencer(batch=50)
    other = sequencer(batch=50)
    stop = threading.Event()

    def number() -> None:
        # A second sequencer, over a connection of its own: whoever has the lock numbers.
        try:
            while not stop.is_set():
                other.drain()
        finally:
            connection.close()

    helper = threading.Thread(target=number)
    helper.start()
    while any(writer.poll() is None for writer in writers):
        mine.drain()
        reader.read(limit=20)
    for writer in writers:
        output(writer)
    stop.set()
    helper.join()
    mine.drain()
    while reader.read():
        pass
    expected = {f"w{n}.{turn}.{part}" for n in range(4) for turn in range(60) for part in range(turn % 7 + 1)}
    assert sorted(reader.subjects) == sorted(expected)
    assert [seq for seq, _ in reader.seen] == list(range(1, len(expected) + 1))
    for name in ("w0", "w1", "w2", "w3"):
        own = [s for s in reader.subjects if s.startswith(f"{name}.")]
        assert own == sorted(own, key=lambda s: [int(part) for part in s[3:].split(".")])


def test_one_process_numbers_at_a_time_and_another_takes_over_when_it_dies(
    sessions: Callable[[], Any], postgres: PostgresServer
) -> None:
    events.append([row("a")])
    holder = sessions()
    assert holder.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK]).fetchone() == (True,)
    clock = ManualClock()
    standby = Sequencer(clock)
    assert not standby.step()
    assert events.unnumbered() == 1
    postgres.execute(f"SELECT pg_terminate_backend({holder.info.backend_pid})")
    assert not standby.step()
    assert events.unnumbered() == 1, "it asks again only after a while"
    # The server ends a session in its own time, and the lock with it.
    for _ in range(200):
        clock.advance(1.0)
        if standby.step():
            break
        postgres.execute("SELECT pg_sleep(0.02)")
    assert events.unnumbered() == 0


def test_a_sequencer_that_dies_before_its_commit_has_numbered_nothing(sessions: Callable[[], Any]) -> None:
    events.append([row("a"), row("b")])
    with pytest.raises(ZeroDivisionError), connection.execute_wrapper(_fail_after_numbering):
        sequencer().step()
    assert events.unnumbered() == 2
    assert not Counter.objects.filter(name="event_seq").exists()
    sequencer().step()
    assert [each.seq for each in events.after(0)] == [1, 2]


def _fail_after_numbering(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    result = execute(sql, params, many, context)
    if sql.strip().startswith("WITH"):
        raise ZeroDivisionError
    return result


def test_numbers_are_never_given_out_again_where_the_newest_rows_are_removed(store: Path) -> None:
    events.append([row("a"), row("b")])
    sequencer().step()
    Event.objects.all().delete()
    events.append([row("c")])
    sequencer().step()
    assert [(each.seq, each.subject) for each in events.after(0)] == [(3, "c")]


def test_full_batches_say_that_there_is_more(store: Path) -> None:
    bulk.insert(Event, [row(str(n)) for n in range(5)])
    numbers = sequencer(batch=2)
    assert [numbers.step() for _ in range(4)] == [True, True, False, False]
    assert events.latest() == 5


def test_a_reader_asks_for_what_it_wants(store: Path) -> None:
    events.append(
        [
            row("a") | {"run_number": 1, "type": "claim"},
            row("b") | {"run_number": 2, "type": "claim"},
            row("c") | {"run_number": 1, "type": "fail"},
        ]
    )
    sequencer().step()
    assert [e.subject for e in events.after(0, filters=EventFilter(run_number=1))] == ["a", "c"]
    assert [e.subject for e in events.after(1, filters=EventFilter(types=frozenset({"claim"})))] == ["b"]
    assert [e.subject for e in events.after(0, limit=1)] == ["a"]
    assert events.latest(EventFilter(run_number=2)) == 2


def test_readers_are_woken_after_rows_are_numbered_and_not_too_often(sessions: Callable[[], Any]) -> None:
    listener = sessions()
    listener.autocommit = True
    listener.execute(f"LISTEN {CHANNEL}")
    clock = ManualClock()
    numbers = Sequencer(clock, interval_s=0.0, wake_interval_s=1.0)

    def told() -> int:
        # The server sends a notification after the commit: one that is on its way is waited for.
        return len(list(listener.notifies(timeout=0.5)))

    clock.advance(1.0)
    numbers.step()
    assert told() == 0, "nothing was numbered"
    for subject in "ab":
        events.append([row(subject)])
        numbers.step()
    assert told() == 1, "the second one was too soon"
    clock.advance(1.0)
    numbers.step()
    assert told() == 1, "it is made up for"
    clock.advance(1.0)
    numbers.step()
    assert told() == 0


def test_wake_ups_come_through_a_restart_of_the_server(postgres: PostgresServer, store: Path) -> None:
    woken = threading.Event()
    with WakeUps(woken.set):
        assert woken.wait(20), "at the beginning"
        woken.clear()
        events.append([row("a")])
        sequencer().step()
        assert woken.wait(20), "by the sequencer"
        woken.clear()
        connection.close()
        postgres.restart()
        assert woken.wait(20), "by the new connection"
    assert events.latest() == 1
