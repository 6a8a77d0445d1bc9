"""The agent runtime: what a message does once, wholly, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from messaging_bench import (
    ANSWERS,
    QUEUE,
    TOPIC,
    Answer,
    Bench,
    Other,
    Refuser,
    TryLaterError,
    Word,
    Writer,
    fill_the_disk,
    full_disk,
    run,
    words,
    writer_agent,
)
from swf.core.errors import DataError
from swf.core.messages import Message
from swf.messaging.agent import Agent
from swf.messaging.runtime import Counts
from swf.messaging.turn import Turn
from swf.store.models import Counter, DeadLetter, Event, InboxEntry, OutboxMessage, SystemAgent


@pytest.fixture(params=Bench.KINDS)
def bench(store: Path, request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


def test_messages_are_handled_in_their_order_many_at_once(bench: Bench) -> None:
    writer = Writer()
    runtime = bench.runtime(writer_agent(writer))
    bench.send("a", "b", "c")
    assert runtime.step()
    assert not runtime.step()
    assert writer.calls == [["a", "b", "c"]]
    assert words() == ["a", "b", "c"]
    assert runtime.counts == Counts(received=3, handled=3)


def test_messages_of_one_type_that_follow_each_other_go_together(bench: Bench) -> None:
    seen: list[list[str]] = []

    def handler(turn: Turn, messages: Sequence[Message[Any]]) -> None:
        seen.append([message.body.msg_type for message in messages])

    runtime = bench.runtime(writer_agent(handler, handlers={Word: handler, Other: handler}))
    bodies = [Word(run_id=1), Word(run_id=1), Other(run_id=1), Word(run_id=1)]
    bench.bus.publish([bench.wire(body) for body in bodies])
    run(runtime)
    assert seen == [["word", "word"], ["other"], ["word"]]


def test_no_more_are_taken_than_there_is_room_for(bench: Bench) -> None:
    writer = Writer()
    room = [2]
    runtime = bench.runtime(writer_agent(writer, capacity=lambda: room[0]), batch=3)
    bench.send(*"abcdefgh")
    runtime.step()
    room[0] = 0
    assert not runtime.step()
    room[0] = 100
    run(runtime)
    assert [len(call) for call in writer.calls] == [2, 3, 3]


def test_a_repeat_ends_at_the_inbox(store: Path) -> None:
    bench = Bench("memory")
    writer = Writer(answer_to=ANSWERS)
    runtime = bench.runtime(writer_agent(writer))
    wire = bench.wire(Word(run_id=1, text="a"))
    bench.bus.publish([wire, wire])
    run(runtime)
    bench.bus.publish([wire])
    run(runtime)
    assert writer.calls == [["a"]]
    assert runtime.counts == Counts(received=3, handled=1, repeated=2)
    assert OutboxMessage.objects.filter(destination=ANSWERS).count() == 1


def test_a_restart_repeats_nothing_that_took_effect(bench: Bench) -> None:
    writer = Writer()
    runtime = bench.runtime(writer_agent(writer), batch=1)
    bench.send("a", "b")
    runtime.step()
    bench.restart()
    run(bench.runtime(writer_agent(writer)))
    assert writer.calls == [["a"], ["b"]]


def test_each_role_takes_a_message_for_itself(bench: Bench) -> None:
    runtimes = [bench.runtime(writer_agent(Writer(), role=role)) for role in ("data", "fastmon")]
    bench.send("a")
    run(*runtimes)
    assert words("data") == words("fastmon") == ["a"]
    assert InboxEntry.objects.count() == 2


def test_one_bad_message_of_a_group_fails_alone(bench: Bench) -> None:
    writer = Writer({"bad": DataError("it is not what was announced")}, answer_to=ANSWERS)
    runtime = bench.runtime(writer_agent(writer))
    bench.send("a", "b", "bad", "c")
    run(runtime)
    # First together; then, because that failed, each by itself.
    assert writer.calls == [["a", "b", "bad", "c"], ["a"], ["b"], ["bad"], ["c"]]
    assert words() == ["a", "b", "c"]
    assert runtime.counts == Counts(received=4, handled=3, failed=1)
    letter = DeadLetter.objects.get()
    assert (letter.error, letter.reason, letter.state) == ("DataError", "it is not what was announced", "parked")
    assert (letter.msg_type, letter.run_number, letter.destination, letter.role) == ("word", 1, TOPIC, "data")
    assert '"text":"bad"' in letter.body


def test_what_a_failed_message_wanted_sent_is_not_sent_and_leaves_no_gap(bench: Bench) -> None:
    runtime = bench.runtime(writer_agent(Writer({"bad": ValueError("no")}, answer_to=ANSWERS)))
    bench.send("a", "bad", "b")
    run(runtime)
    sent = list(OutboxMessage.objects.filter(destination=ANSWERS).order_by("id").values_list("body", flat=True))
    assert ['"text":"a"' in sent[0], '"text":"b"' in sent[1], len(sent)] == [True, True, 2]
    logged = Event.objects.filter(sender=runtime.identity.name).order_by("id")
    assert list(logged.values_list("sender_seq", flat=True)) == [1, 2]
    assert SystemAgent.objects.get(pk=runtime.identity.name).sender_seq == 2


def test_the_numbers_of_a_sender_go_on_after_a_restart(bench: Bench) -> None:
    agent = writer_agent(Writer(answer_to=ANSWERS))
    runtime = bench.runtime(agent)
    bench.send("a", "b")
    run(runtime)
    bench.restart()
    runtime = bench.runtime(agent)
    bench.send("c")
    run(runtime)
    numbers = Event.objects.filter(sender=runtime.identity.name).order_by("id").values_list("sender_seq", flat=True)
    assert list(numbers) == [1, 2, 3]


def test_a_row_that_the_database_refuses_fails_that_message_alone(bench: Bench) -> None:
    Counter.objects.create(name="data:b")
    runtime = bench.runtime(writer_agent(Writer()))
    bench.send("a", "b", "c")
    run(runtime)
    assert words() == ["a", "b", "c"]
    letter = DeadLetter.objects.get()
    assert letter.error == "IntegrityError"
    assert '"text":"b"' in letter.body


def test_an_error_without_words_is_named(bench: Bench) -> None:
    runtime = bench.runtime(writer_agent(Writer({"a": AssertionError()})))
    bench.send("a")
    run(runtime)
    assert DeadLetter.objects.get().reason == "AssertionError()"


def test_messages_of_types_that_nobody_handles_here_are_passed_over(bench: Bench) -> None:
    writer = Writer()
    runtime = bench.runtime(writer_agent(writer, subscriptions=(TOPIC, QUEUE)))
    for destination in (TOPIC, QUEUE):
        bench.bus.publish([bench.wire(Other(run_id=1), destination)])
        bench.send(f"after it in {destination}", destination=destination)
    run(runtime)
    assert words() == [f"after it in {QUEUE}", f"after it in {TOPIC}"]
    assert not DeadLetter.objects.exists()
    bench.restart()
    assert not bench.runtime(writer_agent(writer, subscriptions=(TOPIC, QUEUE))).step()


def test_a_message_of_another_namespace_is_dropped_and_counted(bench: Bench) -> None:
    theirs = Bench("memory", namespace="prod").wire(Word(run_id=1, text="theirs"))
    runtime = bench.runtime(writer_agent(Writer()))
    bench.bus.publish([bench.raw(theirs.body)])
    bench.send("ours")
    run(runtime)
    assert words() == ["ours"]
    assert runtime.counts == Counts(received=2, handled=1, foreign=1)
    assert not DeadLetter.objects.exists()
    bench.restart()
    assert not bench.runtime(writer_agent(Writer())).step()


@pytest.mark.parametrize("kind", Bench.KINDS)
def test_a_failing_database_undoes_the_whole_batch_and_the_next_step_does_it_again(
    sqlite_store: Path, kind: str
) -> None:
    bench = Bench(kind)
    broken = [True]
    calls: list[list[str]] = []
    writer = Writer(answer_to=ANSWERS)

    def handler(turn: Turn, messages: Sequence[Message[Word]]) -> None:
        calls.append([message.body.text for message in messages])
        writer(turn, messages)
        if broken[0] and messages[-1].body.text == "c":
            fill_the_disk()

    def other(turn: Turn, messages: Sequence[Message[Other]]) -> None:
        Counter.objects.create(name="data:other")

    agent = writer_agent(handler, handlers={Word: handler, Other: other})
    runtime = bench.runtime(agent)
    bench.send("a")
    bench.bus.publish([bench.wire(Other(run_id=1))])
    bench.send("b", "c")
    with full_disk(), pytest.raises(OperationalError, match="full"):
        runtime.step()
    assert not words()
    assert not InboxEntry.objects.exists()
    assert not DeadLetter.objects.exists()
    assert not OutboxMessage.objects.filter(destination=ANSWERS).exists()
    assert runtime.counts == Counts()
    broken[0] = False
    run(runtime)
    assert calls == [["a"], ["b", "c"]] * 2
    assert words() == ["a", "b", "c", "other"]
    assert runtime.counts == Counts(received=4, handled=4)
    assert list(Event.objects.order_by("id").values_list("sender_seq", flat=True)) == [1, 2, 3]


def test_a_deferred_message_is_acknowledged_only_when_it_is_settled(bench: Bench) -> None:
    held: list[Message[Word]] = []

    def hold(turn: Turn, messages: Sequence[Message[Word]]) -> None:
        for message in messages:
            turn.defer(message.envelope.message_id)
            held.append(message)

    agent = Agent(role="worker", subscriptions=(QUEUE,), handlers={Word: hold})
    runtime = bench.runtime(agent)
    bench.send("a", "b", destination=QUEUE)
    run(runtime)
    with runtime.turn() as turn:
        turn.settle(held[1].envelope.message_id)
        turn.send(ANSWERS, Answer(run_id=1, text="b"))
    bench.restart()
    again = bench.runtime(agent)
    run(again)
    # Only "a" came again; it was taken before, so that it ends at the inbox and is acknowledged.
    assert again.counts == Counts(received=1, repeated=1)
    assert [message.body.text for message in held] == ["a", "b"]
    bench.restart()
    assert not bench.runtime(agent).step()


def test_a_deferral_is_forgotten_with_the_savepoint_of_its_message(bench: Bench) -> None:
    def hold(turn: Turn, messages: Sequence[Message[Word]]) -> None:
        for message in messages:
            turn.defer(message.envelope.message_id)
            if message.body.text == "bad":
                raise DataError("no")

    agent = Agent(role="worker", subscriptions=(QUEUE,), handlers={Word: hold})
    runtime = bench.runtime(agent)
    bench.send("bad", "good", destination=QUEUE)
    run(runtime)
    assert DeadLetter.objects.count() == 1
    bench.restart()
    again = bench.runtime(agent)
    run(again)
    assert again.counts == Counts(received=1, repeated=1), "only the good one was held back"


def test_what_waits_for_the_commit_happens_after_it_and_not_without_it(bench: Bench) -> None:
    happened: list[str] = []

    def handler(turn: Turn, messages: Sequence[Message[Word]]) -> None:
        for message in messages:
            text = message.body.text
            turn.on_commit(lambda text=text: happened.append(text))  # type: ignore[misc]
            if text == "bad":
                raise DataError("no")

    runtime = bench.runtime(writer_agent(handler))
    bench.send("a", "bad", "b")
    run(runtime)
    assert happened == ["a", "b"]


def test_a_turn_of_a_reconciler_is_all_or_nothing(bench: Bench) -> None:
    def step(begin: Any) -> bool:
        with begin() as turn:
            Counter.objects.create(name="data:reconciled")
            turn.send(ANSWERS, Answer(run_id=1))
            turn.note("reconciled", "it", None, why="so")
            if broken:
                raise DataError("no")
        return False

    runtime = bench.runtime(writer_agent(Writer(), reconcilers=(Refuser(step),)))
    broken = True
    with pytest.raises(DataError):
        runtime.step()
    assert not words()
    assert not Event.objects.exists()
    assert not OutboxMessage.objects.exists()
    broken = False
    runtime.step()
    assert words() == ["reconciled"]
    assert list(Event.objects.order_by("id").values_list("type", "sender_seq")) == [("answer", 1), ("reconciled", 0)]


def test_reconcilers_look_before_anything_is_taken(bench: Bench) -> None:
    seen: list[str] = []
    runtime = bench.runtime(
        writer_agent(
            lambda turn, messages: seen.append("message"),
            reconcilers=(Refuser(lambda begin: bool(seen.append("reconciler"))),),
        )
    )
    bench.send("a")
    runtime.step()
    assert seen == ["reconciler", "message"]


def test_boundaries_are_reached_in_the_order_of_effects(bench: Bench) -> None:
    runtime = bench.runtime(writer_agent(Writer()))
    bench.send("a")
    run(runtime)
    after = ["after_ack"] if bench.kind == "memory" else []
    assert bench.reached == ["before_commit", "after_commit", *after]


def test_an_operator_s_tool_may_look_at_a_failure(bench: Bench) -> None:
    told: list[DeadLetter] = []
    runtime = bench.runtime(writer_agent(Writer({"a": TryLaterError("later")})), on_failure=told.append)
    bench.send("a")
    runtime.step()
    assert [(letter.reason, letter.state) for letter in told] == [("later", "retrying")]
