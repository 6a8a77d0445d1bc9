"""The embedded bus, beside its contract: what it asks of the database."""

from __future__ import annotations

from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging_bench import TOPIC, Answer, Bench, Other, Writer, run, words, writer_agent
from swf.messaging.bus import Subscription
from swf.messaging.embedded import EmbeddedBus
from swf.store.models import RoleCursor


def subscribed(bench: Bench, *types: str, role: str = "data") -> Subscription:
    subscription = Subscription(namespace=bench.namespace, role=role, destination=TOPIC, types=frozenset(types))
    bench.bus.subscribe(subscription)
    return subscription


def test_messages_of_other_types_are_looked_at_once(store: Path) -> None:
    bench = Bench("embedded")
    role = subscribed(bench, "word")
    bench.bus.publish([bench.wire(Answer(run_id=1, text=str(n))) for n in range(1000)])
    with CaptureQueriesContext(connection) as queries:
        assert bench.bus.receive(role, 10) == []
    looks = len(queries)
    assert looks > 10
    bench.send("a")
    with CaptureQueriesContext(connection) as queries:
        assert len(bench.bus.receive(role, 10)) == 1
    assert len(queries) == 1


def test_a_few_wanted_ones_are_found_among_many_in_their_order(store: Path) -> None:
    bench = Bench("embedded")
    writer = Writer()
    runtime = bench.runtime(writer_agent(writer), batch=3)
    for number in range(60):
        bench.bus.publish([bench.wire(Other(run_id=1)) for _ in range(number % 7)])
        bench.send(f"{number:02d}")
    run(runtime)
    assert [text for call in writer.calls for text in call] == [f"{number:02d}" for number in range(60)]
    assert max(len(call) for call in writer.calls) <= 3
    bench.restart()
    again = bench.runtime(writer_agent(Writer()))
    assert not again.step()
    assert len(words()) == 60


def test_where_nothing_waits_the_database_is_left_alone_for_a_while(store: Path) -> None:
    bench = Bench("embedded")
    role = subscribed(bench, "word")
    assert bench.bus.receive(role, 10) == []
    with CaptureQueriesContext(connection) as queries:
        assert bench.bus.receive(role, 10) == []
    assert len(queries) == 0
    # What this process sends is seen at once, what another one sends within a second.
    bench.send("ours")
    assert len(bench.bus.receive(role, 10)) == 1
    assert bench.bus.receive(role, 10) == []
    EmbeddedBus(bench.clock).publish([bench.wire(Other(run_id=1)), bench.raw("theirs")])
    assert bench.bus.receive(role, 10) == []
    bench.clock.advance(1.0)
    assert [delivery.body for delivery in bench.bus.receive(role, 10)] == ["theirs"]


def test_a_cursor_never_moves_back(store: Path) -> None:
    bench = Bench("embedded")
    role = subscribed(bench, "word")
    bench.send("a", "b", "c")
    first, second, third = bench.bus.receive(role, 10)
    bench.bus.ack([third])
    at = RoleCursor.objects.get().position
    bench.bus.ack([first, second])
    assert RoleCursor.objects.get().position == at == third.token
