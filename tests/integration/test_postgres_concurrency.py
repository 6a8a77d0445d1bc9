"""Several processes on one PostgreSQL: each number, item and message is taken once; who loses a race goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from messaging_bench import QUEUE, Bench, Word, Writer, run, words, writer_agent
from services.child import output, start
from services.postgres import PostgresServer
from slice_rows import make_run, make_slices
from swf.core.ids import CountingIds, Uuid7Source
from swf.core.messages import Message
from swf.core.times import ManualClock, SystemClock
from swf.core.work import WorkState
from swf.epic.models import TfSlice
from swf.epic.names import slice_name
from swf.messaging.runtime import Runtime
from swf.messaging.turn import Turn
from swf.service.identity import Heartbeats
from swf.service.logs import LogSink
from swf.service.loop import Loop
from swf.store import bulk
from swf.store.models import Counter, DeadLetter, InboxEntry
from swf.store.work import WorkMoves

pytestmark = pytest.mark.database("postgresql")

COUNT = """
from services.child import open_database
open_database()
from swf.store.counters import reserve
for _ in range(50):
    print(reserve("agent", 1), reserve("agent", 2))
"""

CLAIM = """
import sys
from services.child import open_database
open_database()
from django.db import transaction
from swf.core.ids import Uuid7Source
from swf.core.times import SystemClock
from swf.core.work import WorkState
from swf.epic.models import TfSlice
from swf.store.work import ConflictError, WorkMoves, by_request, waiting
who, how = sys.argv[1:3]
clock = SystemClock()
ids = Uuid7Source(clock)
conflicts = 0
requests = list(TfSlice.objects.order_by("id" if who == "w0" else "-id").values_list("req_id", flat=True))
print("ready", flush=True)
sys.stdin.readline()

def some():
    if how == "waiting":
        return waiting(TfSlice, "testbed", 20)
    known = by_request(TfSlice, requests[:20])
    return [item for item in (known[request] for request in requests[:20]) if item.status == WorkState.QUEUED]

while True:
    moves = WorkMoves(ids, clock.now())
    try:
        with transaction.atomic():
            items = some()
            for item in items:
                moves.claim(item, who, 60.0)
            moves.save()
    except ConflictError:
        conflicts += 1
        continue
    for item in items:
        print(item.pk)
    requests = requests[20:]
    if not (requests if how == "request" else items):
        break
print("conflicts", conflicts)
"""

TAKE = """
import sys
from uuid import UUID
from services.child import open_database
open_database()
from django.db import transaction
from swf.messaging import inbox
from swf.messaging.turn import Identity
backwards = sys.argv[1] == "backwards"
me = Identity(name="data-agent-ann-1", role="data", namespace="testbed")
print("ready", flush=True)
sys.stdin.readline()
for batch in range(20):
    messages = {UUID(int=batch * 100 + n): 1 for n in range(100)}
    if backwards:
        messages = dict(reversed(messages.items()))
    with transaction.atomic():
        for message_id in inbox.admit(me, messages):
            print(message_id.int)
"""


def together(processes: list[Any]) -> list[list[str]]:
    """Let them begin at the same time; gives what each one prints after that."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [output(process) for process in processes]


@pytest.fixture
def other(postgres: PostgresServer, postgres_database: str, store: Path) -> Iterator[Any]:
    """The connection of another process."""
    with psycopg.connect(**postgres.parameters(postgres_database)) as session:
        yield session


Round = Callable[[], bool]


@pytest.fixture
def looped(tmp_path: Path) -> Iterator[Callable[[Runtime], Round]]:
    """Makes the loop of a process that runs one agent, and gives its next round, a second later; its log is `log`."""
    clock = ManualClock()
    sink = LogSink(tmp_path / "log", "test", clock)
    heartbeats = Heartbeats([], clock)

    def made(runtime: Runtime) -> Round:
        loop = Loop([runtime], clock=clock, wake=threading.Event(), heartbeats=heartbeats, sink=sink)

        def step() -> bool:
            clock.advance(1.0)
            return loop.step()

        return step

    yield made
    sink.close()


def test_processes_get_each_number_once_and_without_gaps(
    postgres: PostgresServer, postgres_database: str, store: Path
) -> None:
    taken: list[int] = []
    for lines in [output(process) for process in [start(COUNT, postgres, postgres_database) for _ in range(3)]]:
        for line in lines:
            one, two = map(int, line.split())
            taken += [one, two, two + 1]
    assert sorted(taken) == list(range(1, 3 * 150 + 1))


@pytest.mark.parametrize("how", ["waiting", "request"])
def test_two_processes_claim_a_thousand_items_each_once(
    postgres: PostgresServer, postgres_database: str, store: Path, how: str
) -> None:
    clock = SystemClock()
    ids = Uuid7Source(clock)
    (first,) = make_slices(make_run(1, clock), 1, clock, ids)
    same = {"namespace": "testbed", "run_number": 1, "stf_id": first.stf_id, "fastmon_file_id": first.fastmon_file_id}
    times = {"created_at": clock.now(), "updated_at": clock.now()}
    ranges = {"tf_first": 0, "tf_last": 0, "tf_count": 1}
    bulk.insert(
        TfSlice,
        [
            same | times | ranges | {"name": slice_name(first.stf.name, n), "slice_id": n, "req_id": ids.new()}
            for n in range(1, 1000)
        ],
    )
    claimed: list[int] = []
    by_each = []
    for lines in together([start(CLAIM, postgres, postgres_database, f"w{n}", how) for n in range(2)]):
        claimed += [int(line) for line in lines[:-1]]
        by_each.append(len(lines) - 1)
    assert sorted(claimed) == sorted(TfSlice.objects.values_list("pk", flat=True))
    assert sum(by_each) == 1000
    assert set(TfSlice.objects.values_list("status", "attempt")) == {(WorkState.PROCESSING, 1)}


def test_two_processes_of_a_role_take_each_message_once(
    postgres: PostgresServer, postgres_database: str, store: Path
) -> None:
    processes = [start(TAKE, postgres, postgres_database, order) for order in ("forwards", "backwards")]
    taken = [int(line) for lines in together(processes) for line in lines]
    assert sorted(taken) == list(range(2000))
    assert InboxEntry.objects.count() == 2000


@pytest.mark.parametrize("kind", Bench.KINDS)
def test_a_conflict_rolls_the_batch_back_and_it_is_done_again(
    other: Any, looped: Callable[[Runtime], Round], kind: str
) -> None:
    clock, ids = ManualClock(), CountingIds()
    items = make_slices(make_run(1, clock), 2, clock, ids)
    bench = Bench(kind)
    calls: list[int] = []

    def handler(turn: Turn, messages: Sequence[Message[Word]]) -> None:
        queued = list(TfSlice.objects.filter(status=WorkState.QUEUED).order_by("id"))
        calls.append(len(queued))
        for message in messages:
            Counter.objects.create(name=f"data:{message.body.text}")
        if len(calls) == 1:
            other.execute("UPDATE epic_tfslice SET status = 'cancelled' WHERE id = %s", [items[0].pk])
            other.commit()
        moves = turn.moves()
        for item in queued:
            moves.claim(item, "me", 60.0)
        moves.save()

    runtime = bench.runtime(writer_agent(handler))
    step = looped(runtime)
    bench.send("a", "b")
    assert not step()
    assert not Counter.objects.filter(name__startswith="data:").exists()
    step()
    assert calls == [2, 1]
    assert words() == ["a", "b"]
    assert not DeadLetter.objects.exists()
    assert sorted(TfSlice.objects.values_list("status", flat=True)) == ["cancelled", "processing"]
    assert runtime.counts.handled == 2


def test_a_conflict_that_stays_becomes_the_messages_own(store: Path, looped: Callable[[Runtime], Round]) -> None:
    """A handler that holds an item twice can never save it; what comes behind it must not wait for ever."""
    clock, ids = ManualClock(), CountingIds()
    make_slices(make_run(1, clock), 1, clock, ids)
    bench = Bench()

    def handler(turn: Turn, messages: Sequence[Message[Word]]) -> None:
        for message in messages:
            if message.body.text == "bad":
                moves = turn.moves()
                for _ in range(2):
                    moves.claim(TfSlice.objects.get(), "me", 60.0)
                moves.save()
            Counter.objects.create(name=f"data:{message.body.text}")

    step = looped(bench.runtime(writer_agent(handler)))
    bench.send("bad", "good")
    for _ in range(20):
        step()
    assert words() == ["good"]
    assert DeadLetter.objects.get().error == "ConflictError"


def test_a_deadlock_is_resolved_and_the_loser_does_its_batch_again(
    other: Any, looped: Callable[[Runtime], Round], tmp_path: Path
) -> None:
    Counter.objects.bulk_create([Counter(name="one"), Counter(name="two")])
    bench = Bench()

    def add(name: str) -> None:
        Counter.objects.filter(name=name).update(value=Counter.objects.get(name=name).value + 1)

    helper: list[threading.Thread] = []

    def handler(turn: Turn, messages: Sequence[Message[Word]]) -> None:
        if not helper:
            other.execute("UPDATE store_counter SET value = value + 10 WHERE name = 'two'")
        add("one")
        if not helper:
            # Waits for us, and we then for it; this session finds out first.
            helper.append(threading.Thread(target=finish))
            helper[0].start()
            _until_it_waits(other.info.backend_pid)
        add("two")

    def finish() -> None:
        other.execute("UPDATE store_counter SET value = value + 10 WHERE name = 'one'")
        other.commit()

    other.execute("SET deadlock_timeout = '1min'")
    other.commit()
    step = looped(bench.runtime(writer_agent(handler)))
    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '1ms'")
    bench.send("a")
    assert not step()
    helper[0].join()
    step()
    assert dict(Counter.objects.filter(name__in=["one", "two"]).values_list("name", "value")) == {"one": 11, "two": 11}
    assert not DeadLetter.objects.exists()
    assert "deadlock detected" in (tmp_path / "log").read_text()


def _until_it_waits(pid: int) -> None:
    for _ in range(100_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [pid])
            if cursor.fetchone() == (1,):
                return
    raise AssertionError("the other session does not wait")


def test_what_two_runtimes_of_a_role_get_twice_is_done_once(store: Path) -> None:
    """A broker that redelivers to a second consumer what the first one has not acknowledged yet."""
    writer = Writer(answer_to=QUEUE)
    first, second = Bench(), Bench()
    runtimes = [bench.runtime(writer_agent(writer)) for bench in (first, second)]
    wires = [first.wire(Word(run_id=1, text=text)) for text in "abc"]
    for bench in (first, second):
        bench.bus.publish(wires)
    run(*runtimes)
    assert words() == ["a", "b", "c"]
    assert sum(runtime.counts.repeated for runtime in runtimes) == 3


def test_moves_of_one_transaction_lock_their_rows_in_one_order(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ids = ManualClock(), CountingIds()
    items = make_slices(make_run(1, clock), 5, clock, ids)
    written: list[int] = []
    update: Callable[..., int] = bulk.update

    def noted(model: Any, rows: Any) -> int:
        written.extend(old["id"] for _, old in rows)
        return update(model, rows)

    monkeypatch.setattr(bulk, "update", noted)
    moves = WorkMoves(ids, clock.now())
    for item in reversed(items):
        moves.claim(item, "me", 60.0)
    moves.save()
    assert written == sorted(item.pk for item in items)
