"""PostgreSQL is killed and started again while agents work: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from messaging_bench import ANSWERS, Answer, Bench, Writer, words, writer_agent
from services.postgres import PostgresServer
from swf.core.errors import BusyError
from swf.core.times import SystemClock
from swf.messaging.agent import Agent
from swf.messaging.runtime import Runtime
from swf.service.identity import Heartbeats
from swf.service.logs import LogSink
from swf.service.loop import Loop
from swf.store import database, events, outcome
from swf.store.models import AppLog, Counter, DeadLetter, Event, InboxEntry, SystemAgent
from swf.store.outcome import known_outcome
from swf.store.sequencer import Sequencer

pytestmark = pytest.mark.database("postgresql")

Commit = Callable[[Any], None]


@pytest.fixture
def next_commit(monkeypatch: pytest.MonkeyPatch, store: Path) -> Iterator[Callable[[Commit], None]]:
    """Lets something else happen in place of the next COMMIT of this process."""
    real = psycopg.Connection.commit
    waiting: list[Commit] = []

    def commit(self: Any) -> None:
        if waiting:
            waiting.pop()(self)
        else:
            real(self)

    monkeypatch.setattr(psycopg.Connection, "commit", commit)
    yield waiting.append
    assert waiting == []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome is asked for without pauses."""
    monkeypatch.setattr(outcome, "PAUSE_S", 0.0)


@pytest.fixture
def agent(store: Path) -> str:
    """The name of an agent."""
    return SystemAgent.objects.create(instance_name="data-agent-ann-1", agent_type="data", namespace="n").instance_name


def lost_after(server: PostgresServer, real: Commit = psycopg.Connection.commit) -> Commit:
    """The COMMIT takes effect; its answer does not arrive."""

    def commit(session: Any) -> None:
        real(session)
        server.kill()
        server.start()
        session.execute("SELECT 1")

    return commit


def lost_before(server: PostgresServer) -> Commit:
    """The COMMIT does not arrive."""

    def commit(session: Any) -> None:
        server.kill()
        server.start()
        psycopg.Connection.rollback(session)
        raise AssertionError("the connection should be lost")

    return commit


def test_a_commit_whose_answer_was_lost_has_committed(
    postgres: PostgresServer, next_commit: Callable[[Commit], None], quick: None, agent: str
) -> None:
    connection.ensure_connection()
    next_commit(lost_after(postgres))
    with known_outcome(agent):
        Counter.objects.create(name="a")
    assert Counter.objects.filter(name="a").exists()


def test_a_commit_that_did_not_arrive_has_not(
    postgres: PostgresServer, next_commit: Callable[[Commit], None], quick: None, agent: str
) -> None:
    connection.ensure_connection()
    next_commit(lost_before(postgres))
    with pytest.raises(OperationalError), known_outcome(agent):
        Counter.objects.create(name="a")
    assert not Counter.objects.filter(name="a").exists()


def test_a_process_whose_place_was_taken_commits_nothing(agent: str) -> None:
    start = SystemAgent.objects.values_list("starts", flat=True).get(pk=agent)
    with known_outcome(agent, start):
        Counter.objects.create(name="a")
    SystemAgent.objects.filter(pk=agent).update(starts=start + 1)
    with pytest.raises(BusyError, match=f"{agent} was started anew elsewhere"), known_outcome(agent, start):
        Counter.objects.create(name="b")
    with known_outcome(agent, start + 1):
        Counter.objects.create(name="c")
    assert sorted(Counter.objects.values_list("name", flat=True)) == ["a", "c"]


LONG = 300
"""Questions that a server which is away does not answer: a minute's worth of them."""


def test_the_outcome_is_asked_for_until_the_server_is_back(
    postgres: PostgresServer, next_commit: Callable[[Commit], None], agent: str
) -> None:
    real, waited = psycopg.Connection.commit, []

    def commit(session: Any) -> None:
        real(session)
        postgres.kill()
        session.execute("SELECT 1")

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == LONG:
            postgres.start()

    next_commit(commit)
    with known_outcome(agent, wait=wait):
        Counter.objects.create(name="a")
    assert len(waited) == LONG
    assert Counter.objects.filter(name="a").exists()


def test_who_is_to_end_does_not_wait_for_the_outcome(
    postgres: PostgresServer, next_commit: Callable[[Commit], None], agent: str
) -> None:
    real = psycopg.Connection.commit

    def commit(session: Any) -> None:
        real(session)
        postgres.kill()
        session.execute("SELECT 1")

    def ends(seconds: float) -> None:
        raise OperationalError("the process ends")

    next_commit(commit)
    with pytest.raises(OperationalError, match="the process ends"), known_outcome(agent, wait=ends):
        Counter.objects.create(name="a")
    postgres.start()
    database.recover()
    assert Counter.objects.filter(name="a").exists()


def test_a_failure_before_the_commit_is_no_doubt(postgres: PostgresServer, agent: str) -> None:
    def never(seconds: float) -> None:
        raise AssertionError("there is nothing to wait for")

    def work() -> None:
        with known_outcome(agent, wait=never):
            Counter.objects.create(name="a")
            postgres.restart()
            Counter.objects.create(name="b")

    with pytest.raises(OperationalError):
        work()
    database.recover()
    assert not Counter.objects.exists()


def test_a_transaction_that_changed_nothing_leaves_no_mark(agent: str) -> None:
    with known_outcome(agent):
        Counter.objects.count()
    assert SystemAgent.objects.get().last_turn is None
    with known_outcome(agent):
        Counter.objects.create(name="a")
    assert SystemAgent.objects.get().last_turn is not None


@pytest.mark.parametrize("kind", Bench.KINDS)
@pytest.mark.parametrize("lost", [lost_before, lost_after])
def test_a_message_is_handled_once_whichever_way_its_commit_went(
    postgres: PostgresServer,
    next_commit: Callable[[Commit], None],
    quick: None,
    kind: str,
    lost: Callable[[PostgresServer], Commit],
) -> None:
    bench, committed = Bench(kind), []
    writer = Writer(answer_to=ANSWERS)

    def handler(turn: Any, messages: Any) -> None:
        writer(turn, messages)
        turn.on_commit(lambda: committed.append([message.body.text for message in messages]))

    runtime = bench.runtime(writer_agent(handler))
    bench.send("a", "b")
    next_commit(lost(postgres))
    if lost is lost_before:
        with pytest.raises(OperationalError):
            runtime.step()
        assert committed == []
        database.recover()
    runtime.step()
    runtime.step()
    assert committed == [["a", "b"]]
    assert words() == ["a", "b"]
    assert (runtime.counts.handled, runtime.counts.repeated) == (2, 0)
    assert list(Event.objects.order_by("id").values_list("sender_seq", flat=True)) == [1, 2]


class Chain:
    """Two agents and their process: one writes words down and answers, the other one writes the answers down."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench("embedded")
        self.bench.clock = SystemClock()  # type: ignore[assignment]
        self.bench.restart()
        self.first = Writer(answer_to=ANSWERS)
        self.second = Writer()
        agents = [
            writer_agent(self.first),
            Agent(role="reader", subscriptions=(ANSWERS,), handlers={Answer: self.second}),
        ]
        self.runtimes: list[Runtime] = [self.bench.runtime(agent, batch=20) for agent in agents]
        clock = SystemClock()
        self.sink = LogSink(folder / "log", "test", clock)
        self.loop = Loop(
            self.runtimes,
            clock=clock,
            wake=threading.Event(),
            heartbeats=Heartbeats([runtime.identity for runtime in self.runtimes], clock),
            sink=self.sink,
        )

    def send(self, count: int) -> list[str]:
        texts = [f"{number:04d}" for number in range(count)]
        self.bench.send(*texts)
        return texts

    def check(self, texts: list[str]) -> None:
        """Each message had its effects once, none was given up, and the log has each once in an order without gaps."""
        assert words("data") == texts
        assert words("reader") == texts
        assert not DeadLetter.objects.exists()
        assert InboxEntry.objects.count() == 2 * len(texts)
        Sequencer(SystemClock()).drain()
        answers = events.after(0, 1000)
        assert [row.seq for row in answers] == list(range(1, len(texts) + 1))
        assert [row.sender_seq for row in answers] == list(range(1, len(texts) + 1))
        assert SystemAgent.objects.get(agent_type="data").sender_seq == len(texts)


@pytest.fixture
def chain(store: Path, tmp_path: Path) -> Iterator[Chain]:
    chain = Chain(tmp_path)
    yield chain
    chain.sink.close()


@pytest.mark.parametrize("seed", range(2))
def test_the_server_is_killed_before_and_after_statements(
    postgres: PostgresServer, chain: Chain, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    texts = chain.send(200)
    left, kills = [rng.randrange(5, 25)], [0]

    def statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        left[0] -= 1
        if left[0]:
            return execute(sql, params, many, context)
        left[0] = rng.randrange(5, 25)
        kills[0] += 1
        if rng.random() < 0.5:
            postgres.restart()
            return execute(sql, params, many, context)
        result = execute(sql, params, many, context)
        postgres.restart()
        return result

    with connection.execute_wrapper(statement):
        chain.loop.run(lambda: kills[0] >= 8 or words("reader") == texts)
    chain.loop.run(lambda: words("reader") == texts)
    assert kills[0] >= 4
    chain.check(texts)
    assert "database_failed" in (tmp_path / "log").read_text()
    chain.sink.step()
    assert AppLog.objects.filter(event="database_failed").exists()


def test_the_server_is_killed_at_any_moment(postgres: PostgresServer, chain: Chain) -> None:
    rng = random.Random(7)
    texts = chain.send(600)
    stop = threading.Event()
    kills = [0]

    def kill() -> None:
        while not stop.wait(rng.uniform(0.0, 0.3)):
            postgres.restart()
            kills[0] += 1

    killer = threading.Thread(target=kill)
    killer.start()
    chain.loop.run(lambda: words("reader") == texts or kills[0] >= 15)
    stop.set()
    killer.join()
    chain.loop.run(lambda: words("reader") == texts)
    assert kills[0] >= 1
    chain.check(texts)


def test_a_transaction_that_hangs_is_ended_by_the_server_and_the_agent_does_it_again(
    postgres: PostgresServer, chain: Chain
) -> None:
    texts = chain.send(1)
    Counter.objects.create(name="wanted by others")
    name = str(connection.settings_dict["NAME"])
    hung: list[int] = []

    def hang(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if not hung and connection.in_atomic_block and sql.startswith("INSERT"):
            hung.append(1)
            with connection.cursor() as cursor:
                cursor.execute("SET idle_in_transaction_session_timeout = '20ms'")
                cursor.execute("UPDATE store_counter SET value = 1 WHERE name = 'wanted by others'")
            with psycopg.connect(**postgres.parameters(name)) as other:
                # Waits for the lock until the server has ended the transaction that is idle here.
                other.execute("UPDATE store_counter SET value = 2 WHERE name = 'wanted by others'")
        return result

    with connection.execute_wrapper(hang):
        chain.loop.run(lambda: bool(hung))
    chain.loop.run(lambda: words("reader") == texts)
    assert Counter.objects.get(name="wanted by others").value == 2
    chain.check(texts)
