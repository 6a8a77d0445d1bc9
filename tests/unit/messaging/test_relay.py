"""The relay: what transactions put into the outbox reaches the broker, in order, at least once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection

from messaging_bench import ANSWERS, TOPIC, Answer, Bench, Word, Writer, run, words, writer_agent
from swf.core.codec import encode
from swf.core.errors import ServiceError
from swf.messaging.agent import Agent
from swf.messaging.bus import Wire
from swf.messaging.memory import MemoryBus
from swf.messaging.relay import AbsentRelay, Relay
from swf.messaging.runtime import Runtime
from swf.messaging.turn import Form
from swf.store.models import OutboxMessage, SystemAgent


class Broker(MemoryBus):
    """A bus whose destinations can be closed, and that remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: set[str] = set()
        self.asked: list[str] = []
        self.given: list[tuple[str, str]] = []
        self.wires: list[Wire] = []

    def publish(self, messages: Sequence[Wire]) -> None:
        self.asked += {wire.destination for wire in messages}
        for wire in messages:
            if wire.destination in self.closed:
                raise ServiceError(f"{wire.destination} takes nothing now")
            self.given.append((wire.destination, wire.body))
            self.wires.append(wire)
        super().publish(messages)


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture
def bench(store: Path) -> Bench:
    return Bench("memory")


@pytest.fixture
def broker() -> Broker:
    return Broker()


SENDERS = ["speaker-agent-ann-1"]


def speaker(bench: Bench) -> Runtime:
    return bench.runtime(Agent(role="speaker"))


def say(runtime: Runtime, destination: str, *texts: str) -> None:
    with runtime.turn() as turn:
        for text in texts:
            turn.send(destination, Answer(run_id=1, text=text))


def texts(broker: Broker, destination: str) -> list[str]:
    return [body.split('"text":"')[1].split('"')[0] for where, body in broker.given if where == destination]


def test_messages_leave_in_their_order_batch_by_batch(bench: Bench, broker: Broker) -> None:
    relay = Relay(broker, SENDERS, bench.clock, batch=3)
    runtime = speaker(bench)
    for number in range(4):
        say(runtime, ANSWERS, f"{number}a", f"{number}b")
    assert relay.step()
    assert texts(broker, ANSWERS) == ["0a", "0b", "1a"]
    assert [relay.step() for _ in range(3)] == [True, True, False]
    assert texts(broker, ANSWERS) == [f"{number}{letter}" for number in range(4) for letter in "ab"]
    assert not OutboxMessage.objects.exists()
    assert not relay.step()


def test_what_listeners_outside_choose_by_goes_with_the_message(bench: Bench, broker: Broker) -> None:
    form = Form(encode=encode, headers={"vo": "eic"}, lifetime_s=60.0)
    with speaker(bench).turn() as turn:
        turn.send(ANSWERS, Answer(run_id=1, text="a"), form)
        turn.send(ANSWERS, Answer(run_id=1, text="b"))
    assert Relay(broker, SENDERS, bench.clock).step()
    until = bench.clock.now() + timedelta(seconds=60)
    assert [(dict(wire.headers), wire.expires_at) for wire in broker.wires] == [({"vo": "eic"}, until), ({}, None)]


def test_what_another_process_wants_sent_is_its_own_business(bench: Bench, broker: Broker) -> None:
    say(speaker(bench), ANSWERS, "ours")
    assert not Relay(broker, ["another-agent"], bench.clock).step()
    assert broker.given == []


def test_what_an_agent_wanted_sent_that_is_gone_is_sent_for_it(bench: Bench, broker: Broker) -> None:
    say(speaker(bench), ANSWERS, "last words")
    agent = SystemAgent.objects.filter(pk=SENDERS[0])
    agent.update(last_heartbeat=bench.clock.now())
    absent = AbsentRelay(broker, bench.namespace, bench.clock)
    assert not absent.step(), "it is there, and sends by itself"
    bench.clock.advance(61)
    assert not AbsentRelay(broker, "prod", bench.clock).step()
    assert absent.step()
    assert texts(broker, ANSWERS) == ["last words"]
    agent.update(last_heartbeat=bench.clock.now(), status=SystemAgent.Status.EXITED)
    say(speaker(bench), ANSWERS, "good bye")
    bench.clock.advance(5)
    assert absent.step(), "it has left, so there is nothing to wait for"
    assert texts(broker, ANSWERS) == ["last words", "good bye"]


def test_nothing_that_was_rolled_back_is_published(bench: Bench, broker: Broker) -> None:
    def fails() -> None:
        with speaker(bench).turn() as turn:
            turn.send(ANSWERS, Answer(run_id=1, text="never"))
            raise KilledError

    with pytest.raises(KilledError):
        fails()
    assert not Relay(broker, SENDERS, bench.clock).step()


def test_a_destination_that_takes_nothing_does_not_hold_up_the_others(bench: Bench, broker: Broker) -> None:
    relay = Relay(broker, SENDERS, bench.clock)
    runtime = speaker(bench)
    say(runtime, ANSWERS, "a", "b")
    say(runtime, TOPIC, "c")
    broker.closed = {ANSWERS}
    assert relay.step()
    assert (texts(broker, TOPIC), texts(broker, ANSWERS)) == (["c"], [])
    assert OutboxMessage.objects.count() == 2
    say(runtime, TOPIC, "d")
    relay.step()
    assert texts(broker, TOPIC) == ["c", "d"]
    broker.closed = set()
    bench.clock.advance(10)
    relay.step()
    assert texts(broker, ANSWERS) == ["a", "b"]


def test_a_destination_is_asked_less_and_less_often_until_it_answers(bench: Bench, broker: Broker) -> None:
    relay = Relay(broker, SENDERS, bench.clock)
    say(speaker(bench), ANSWERS, "a")
    broker.closed = {ANSWERS}
    asked_at = []
    for tenths in range(600):
        before = len(broker.asked)
        relay.step()
        if len(broker.asked) > before:
            asked_at.append(tenths / 10)
        bench.clock.advance(0.1)
    pauses = [round(later - earlier, 1) for earlier, later in pairwise(asked_at)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.2
    assert pauses[-1] == pytest.approx(10, abs=0.2)
    broker.closed = set()
    bench.clock.advance(10)
    assert relay.step()
    say(speaker(bench), ANSWERS, "b")
    assert relay.step(), "once it answered there is no pause"


def test_a_row_goes_only_after_the_broker_has_the_message(bench: Bench, broker: Broker) -> None:
    seen: list[tuple[str, int]] = []
    relay = Relay(
        broker,
        SENDERS,
        bench.clock,
        boundary=lambda name: seen.append((name, OutboxMessage.objects.count())),
    )
    say(speaker(bench), ANSWERS, "a")
    relay.step()
    assert seen == [("published", 1), ("marked_sent", 0)]


def test_a_crash_in_between_publishes_again_and_the_inbox_swallows_it(bench: Bench) -> None:
    def dies_after_publishing(name: str) -> None:
        if name == "published":
            raise KilledError

    writer = Writer()
    receiver = bench.runtime(writer_agent(writer))
    with speaker(bench).turn() as turn:
        turn.send(TOPIC, Word(run_id=1, text="a"))
    with pytest.raises(KilledError):
        Relay(bench.bus, SENDERS, bench.clock, boundary=dies_after_publishing).step()
    run(receiver)
    again = Relay(bench.bus, SENDERS, bench.clock)
    assert again.step()
    assert not again.step()
    run(receiver)
    assert writer.calls == [["a"]]
    assert words() == ["a"]
    assert receiver.counts.repeated == 1


def told_relay(bench: Bench, broker: Broker, runtime: Runtime) -> Relay:
    """A relay that is told of what its agent sends, and has seen that nothing waits."""
    relay = Relay(broker, SENDERS, bench.clock, batch=3)
    runtime.tell(relay.told)
    say(runtime, ANSWERS, "first")
    assert relay.step()
    assert not relay.step()
    return relay


def test_what_it_is_told_of_is_not_read_back(bench: Bench, broker: Broker) -> None:
    runtime = speaker(bench)
    relay = told_relay(bench, broker, runtime)
    with connection.execute_wrapper(lambda *_: pytest.fail("the outbox was asked")):
        assert not relay.step()
    say(runtime, ANSWERS, "a", "b")
    say(runtime, TOPIC, "x")
    say(runtime, ANSWERS, "c", "d")
    assert [relay.step() for _ in range(3)] == [True, True, False]
    assert (texts(broker, ANSWERS), texts(broker, TOPIC)) == (["first", "a", "b", "c", "d"], ["x"])
    assert not OutboxMessage.objects.exists()


def test_after_a_refusal_the_rows_tell_what_is_left(bench: Bench, broker: Broker) -> None:
    runtime = speaker(bench)
    relay = told_relay(bench, broker, runtime)
    broker.closed = {ANSWERS}
    say(runtime, ANSWERS, "a")
    say(runtime, TOPIC, "x")
    assert relay.step()
    say(runtime, ANSWERS, "b")
    assert not relay.step(), "it pauses"
    broker.closed = set()
    bench.clock.advance(1)
    assert relay.step()
    assert (texts(broker, ANSWERS), texts(broker, TOPIC)) == (["first", "a", "b"], ["x"])


def test_what_it_was_not_told_of_is_found_by_a_look(bench: Bench, broker: Broker) -> None:
    runtime = speaker(bench)
    relay = told_relay(bench, broker, runtime)
    runtime.tell(lambda wires: None)
    say(runtime, ANSWERS, "a")
    assert not relay.step()
    bench.clock.advance(1)
    assert relay.step()
    assert texts(broker, ANSWERS) == ["first", "a"]


def test_after_a_transaction_that_failed_the_rows_are_asked(bench: Bench, broker: Broker) -> None:
    runtime = speaker(bench)
    relay = told_relay(bench, broker, runtime)
    with pytest.raises(ServiceError):
        _fail(runtime)
    say(runtime, ANSWERS, "a")
    assert relay.step()
    assert not relay.step()
    assert texts(broker, ANSWERS) == ["first", "a"]
    assert not OutboxMessage.objects.exists()


def _fail(runtime: Runtime) -> None:
    with runtime.turn() as turn:
        turn.send(ANSWERS, Answer(run_id=1, text="never"))
        raise ServiceError("it fails")


def test_more_than_fits_into_memory_is_read_back(bench: Bench, broker: Broker) -> None:
    runtime = speaker(bench)
    relay = told_relay(bench, broker, runtime)
    numbers = [str(number) for number in range(2001)]
    say(runtime, ANSWERS, *numbers)
    while relay.step():
        continue
    assert texts(broker, ANSWERS) == ["first", *numbers]
