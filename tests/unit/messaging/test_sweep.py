"""Rows of topics that everybody has read are taken away, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from messaging_bench import TOPIC, Answer, Bench, Writer, run, words, writer_agent
from swf.messaging.bus import Subscription
from swf.messaging.sweep import EVERY
from swf.store.models import OutboxMessage, RoleCursor

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def bench(store: Path) -> Bench:
    return Bench("embedded")


def subscribed(bench: Bench, role: str, *types: str) -> Subscription:
    subscription = Subscription(
        namespace=bench.namespace, role=role, destination=TOPIC, types=frozenset(types or {"word"})
    )
    bench.bus.subscribe(subscription)
    return subscription


def read(bench: Bench, subscription: Subscription, batch: int = 500) -> list[str | bytes]:
    """All that waits, acknowledged batch by batch."""
    bodies: list[str | bytes] = []
    while deliveries := bench.bus.receive(subscription, batch):
        bench.bus.ack(deliveries)
        bodies += [delivery.body for delivery in deliveries]
    return bodies


def rows() -> int:
    return OutboxMessage.objects.filter(destination=TOPIC).count()


def publish(bench: Bench, count: int) -> None:
    bench.bus.publish([bench.raw(str(n)) for n in range(count)])


def test_a_topic_does_not_grow_with_what_was_read(bench: Bench) -> None:
    data, fastmon = subscribed(bench, "data"), subscribed(bench, "fastmon")
    most = 0
    for _ in range(6):
        publish(bench, EVERY)
        assert len(read(bench, data)) == len(read(bench, fastmon)) == EVERY
        most = max(most, rows())
    assert OutboxMessage.objects.count() == rows() <= most <= 2 * EVERY


def test_a_role_that_is_away_gets_all_that_it_missed(bench: Bench) -> None:
    data, fastmon = subscribed(bench, "data"), subscribed(bench, "fastmon")
    for _ in range(3):
        publish(bench, EVERY)
        read(bench, data)
    assert rows() == 3 * EVERY
    bench.restart()
    bench.bus.subscribe(fastmon)
    assert read(bench, fastmon) == [str(n) for n in range(EVERY)] * 3
    assert rows() <= EVERY


def test_a_new_role_gets_nothing_from_before_whether_its_rows_are_there_or_not(bench: Bench) -> None:
    data = subscribed(bench, "data")
    publish(bench, 1)
    read(bench, data)
    assert rows() == 0, "the first move of a cursor looks"
    bench.restart()
    late = subscribed(bench, "late")
    publish(bench, 2)
    read(bench, subscribed(bench, "data"))
    later = subscribed(bench, "later")
    assert rows() == 2
    assert read(bench, late) == ["0", "1"]
    assert read(bench, later) == []
    publish(bench, 1)
    assert read(bench, later) == ["0"]


def test_each_look_takes_a_limited_number_away(bench: Bench) -> None:
    data, away = subscribed(bench, "data"), subscribed(bench, "away")
    publish(bench, 6 * EVERY)
    read(bench, data)
    before = rows()
    deliveries = bench.bus.receive(away, 6 * EVERY)
    assert len(deliveries) == before == 6 * EVERY
    bench.bus.ack(deliveries)
    assert rows() == before - 2 * EVERY
    for _ in range(3):
        publish(bench, EVERY)
        read(bench, data)
        read(bench, away)
    assert rows() <= 2 * EVERY, "what was left behind goes too"


def test_a_role_to_which_nothing_is_of_interest_does_not_keep_the_rest(bench: Bench) -> None:
    data, other = subscribed(bench, "data"), subscribed(bench, "other", "other")
    for _ in range(4):
        publish(bench, EVERY)
        read(bench, data)
        assert bench.bus.receive(other, 10) == []
    assert rows() <= 2 * EVERY
    bench.bus.publish([bench.raw("mine", msg_type="other")])
    assert read(bench, other) == ["mine"]


def test_what_was_given_and_not_acknowledged_is_never_passed(bench: Bench) -> None:
    data, other = subscribed(bench, "data"), subscribed(bench, "other", "other")
    bench.bus.publish([bench.raw("mine", msg_type="other")])
    (given,) = bench.bus.receive(other, 10)
    for _ in range(3):
        publish(bench, EVERY)
        read(bench, data)
        assert bench.bus.receive(other, 10) == []
    assert rows() == 3 * EVERY + 1
    # Its process is gone, and comes again.
    bench.restart()
    bench.bus.subscribe(other)
    (again,) = bench.bus.receive(other, 10)
    assert again.body == given.body == "mine"
    bench.bus.ack([again])
    assert bench.bus.receive(other, 10) == []
    assert rows() < 3 * EVERY


def test_what_is_rolled_back_took_nothing_away(bench: Bench) -> None:
    data = subscribed(bench, "data")
    publish(bench, 3)
    deliveries = bench.bus.receive(data, 10)
    with transaction.atomic():
        bench.bus.ack(deliveries)
        assert rows() == 0
        transaction.set_rollback(True)
    assert rows() == 3
    assert RoleCursor.objects.get().position == 0
    bench.restart()
    bench.bus.subscribe(data)
    assert read(bench, data) == ["0", "1", "2"]


def test_other_namespaces_topics_and_queues_are_left_alone(bench: Bench) -> None:
    data = subscribed(bench, "data")
    other = Bench("embedded", namespace="other")
    other.ids = bench.ids
    publish(other, 2)
    bench.bus.publish([bench.raw("x", "/topic/another"), bench.raw("y", "/queue/work")])
    publish(bench, 1)
    read(bench, data)
    left = OutboxMessage.objects.order_by("id").values_list("namespace", "destination")
    assert list(left) == [
        ("other", TOPIC),
        ("other", TOPIC),
        ("testbed", "/topic/another"),
        ("testbed", "/queue/work"),
    ]


def test_agents_that_work_leave_little_behind_and_miss_nothing(bench: Bench) -> None:
    writers = {role: Writer() for role in ("data", "fastmon")}
    runtimes = [bench.runtime(writer_agent(writer, role)) for role, writer in writers.items()]
    total = 3 * EVERY
    for first in range(0, total, 300):
        bench.send(*(f"{n:05d}" for n in range(first, first + 300)))
        bench.bus.publish([bench.wire(Answer(run_id=1, text="x")) for _ in range(30)])
        run(*runtimes)
    assert words("data") == words("fastmon") == [f"{n:05d}" for n in range(total)]
    assert rows() <= 2 * EVERY
