"""Messages that could not be handled: tried again with back-off, parked, redriven, discarded."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging_bench import ANSWERS, TOPIC, Bench, Other, TryLaterError, Word, Writer, run, words, writer_agent
from swf.core.errors import DataError, IllegalMoveError, UnknownNameError
from swf.core.times import ManualClock
from swf.messaging import dead_letters
from swf.messaging.dead_letters import MAX_ATTEMPTS, next_try
from swf.store.models import DeadLetter, InboxEntry, OutboxMessage

BACK_OFF_S = [1, 2, 4, 8, 16]


@pytest.fixture
def bench(store: Path) -> Bench:
    return Bench("memory")


@given(st.integers(1, 20))
def test_only_errors_that_may_pass_are_tried_again_and_not_for_ever(attempts: int) -> None:
    now = ManualClock().now()
    assert next_try(DataError("no"), attempts, now) is None
    assert next_try(ValueError("no"), attempts, now) is None
    again = next_try(TryLaterError("later"), attempts, now)
    if attempts < MAX_ATTEMPTS:
        assert again is not None
        assert timedelta(seconds=1) <= again - now <= timedelta(seconds=60)
    else:
        assert again is None


def test_a_message_is_tried_again_later_and_then_takes_effect_once(bench: Bench) -> None:
    writer = Writer({"a": TryLaterError("it is not registered (yet)")}, answer_to=ANSWERS)
    runtime = bench.runtime(writer_agent(writer))
    bench.send("a", "b")
    run(runtime)
    letter = DeadLetter.objects.get()
    assert (letter.state, letter.attempts, letter.reason) == ("retrying", 1, "it is not registered (yet)")
    assert words() == ["b"]
    writer.failing.clear()
    bench.clock.advance(0.99)
    assert not runtime.step()
    bench.clock.advance(1.0)
    assert runtime.step()
    assert words() == ["a", "b"]
    letter.refresh_from_db()
    assert (letter.state, letter.redrive_at) == ("redriven", None)
    assert runtime.counts.handled == 2
    bench.clock.advance(3600)
    assert not runtime.step()
    assert OutboxMessage.objects.filter(destination=ANSWERS).count() == 2
    assert InboxEntry.objects.count() == 2


def test_it_waits_longer_each_time_and_in_the_end_for_an_operator(bench: Bench) -> None:
    writer = Writer({"a": TryLaterError("later")})
    runtime = bench.runtime(writer_agent(writer))
    bench.send("a")
    run(runtime)
    waits = []
    while (letter := DeadLetter.objects.get()).state == DeadLetter.State.RETRYING:
        assert letter.redrive_at is not None
        waits.append((letter.redrive_at - bench.clock.now()).total_seconds())
        # Shortly before its time it is left alone.
        bench.clock.advance(waits[-1] - 0.001)
        runtime.step()
        assert DeadLetter.objects.get().attempts == letter.attempts
        bench.clock.advance(1.001)
        runtime.step()
        assert len(waits) < 20
    assert waits == BACK_OFF_S
    assert (letter.state, letter.attempts, letter.redrive_at) == ("parked", MAX_ATTEMPTS, None)
    assert len(writer.calls) == MAX_ATTEMPTS
    bench.clock.advance(24 * 3600)
    assert not runtime.step()
    assert words() == []


def test_what_fails_for_another_reason_is_kept_with_the_latest(bench: Bench) -> None:
    writer = Writer({"a": TryLaterError("later")})
    runtime = bench.runtime(writer_agent(writer))
    bench.send("a")
    run(runtime)
    writer.failing["a"] = DataError("never")
    bench.clock.advance(1)
    runtime.step()
    letter = DeadLetter.objects.get()
    assert (letter.state, letter.error, letter.reason, letter.attempts) == ("parked", "DataError", "never", 2)


def test_an_operator_lets_a_parked_message_be_tried_once_more(bench: Bench) -> None:
    writer = Writer({"a": DataError("the file is not there")})
    runtime = bench.runtime(writer_agent(writer))
    bench.send("a")
    run(runtime)
    letter = DeadLetter.objects.get()
    writer.failing.clear()
    redriven = dead_letters.redrive(letter.pk, "ann", bench.clock.now())
    assert (redriven.state, redriven.decided_by) == ("retrying", "ann")
    bench.clock.advance(1)
    run(runtime)
    assert words() == ["a"]
    assert DeadLetter.objects.get().state == "redriven"


def test_a_restart_forgets_no_letter(bench: Bench) -> None:
    writer = Writer({"a": TryLaterError("later")})
    run_once = bench.runtime(writer_agent(writer))
    bench.send("a")
    run_once.step()
    writer.failing.clear()
    bench.restart()
    bench.clock.advance(1)
    run(bench.runtime(writer_agent(writer)))
    assert words() == ["a"]


def test_what_was_refused_can_be_redriven_and_is_refused_again(bench: Bench) -> None:
    runtime = bench.runtime(writer_agent(Writer()))
    bench.bus.publish([bench.raw("not a message")])
    run(runtime)
    letter = DeadLetter.objects.get()
    dead_letters.redrive(letter.pk, "ann", bench.clock.now())
    bench.clock.advance(1)
    run(runtime)
    letter.refresh_from_db()
    assert (letter.state, letter.error) == ("parked", "MalformedMessageError")


def test_a_type_that_the_role_no_longer_handles_is_not_called_handled(bench: Bench) -> None:
    runtime = bench.runtime(writer_agent(Writer(), handlers={Word: Writer({"a": DataError("no")})}))
    bench.send("a")
    run(runtime)
    letter = DeadLetter.objects.get()
    dead_letters.redrive(letter.pk, "ann", bench.clock.now())
    bench.restart()
    bench.clock.advance(1)
    run(bench.runtime(writer_agent(Writer(), handlers={Other: Writer()})))
    letter.refresh_from_db()
    assert (letter.state, letter.error) == ("parked", "UnknownTypeError")
    assert letter.reason == "the role data does not handle word"


def test_each_role_tries_its_own_letters(bench: Bench) -> None:
    failing = Writer({"a": TryLaterError("later")})
    runtimes = [bench.runtime(writer_agent(failing, role=role)) for role in ("data", "fastmon")]
    bench.send("a")
    run(*runtimes)
    assert DeadLetter.objects.count() == 2
    failing.failing.clear()
    bench.clock.advance(1)
    runtimes[0].step()
    assert (words("data"), words("fastmon")) == (["a"], [])


def test_an_operator_gives_a_parked_message_up_with_a_reason(bench: Bench) -> None:
    runtime = bench.runtime(writer_agent(Writer({"a": DataError("broken")})))
    bench.send("a")
    run(runtime)
    letter = dead_letters.discard(DeadLetter.objects.get().pk, "ann", "the run is of no use")
    assert (letter.state, letter.decided_by) == ("discarded", "ann")
    assert letter.reason == "broken; discarded: the run is of no use"
    bench.clock.advance(3600)
    assert not runtime.step()


def test_only_a_parked_letter_waits_for_a_decision(bench: Bench) -> None:
    with pytest.raises(UnknownNameError, match="there is no dead letter 7"):
        dead_letters.redrive(7, "ann", bench.clock.now())
    with pytest.raises(UnknownNameError, match="there is no dead letter 7"):
        dead_letters.discard(7, "ann", "why")
    runtime = bench.runtime(writer_agent(Writer({"a": TryLaterError("later")})))
    bench.send("a")
    runtime.step()
    letter = DeadLetter.objects.get()
    for decide in (
        lambda: dead_letters.redrive(letter.pk, "ann", bench.clock.now()),
        lambda: dead_letters.discard(letter.pk, "ann", "why"),
    ):
        with pytest.raises(IllegalMoveError, match="is retrying; only a parked one"):
            decide()


def test_a_letter_tells_where_it_came_from(bench: Bench) -> None:
    runtime = bench.runtime(writer_agent(Writer({"a": DataError("no")})))
    wire = bench.wire(Word(run_id=100010, text="a"))
    bench.bus.publish([wire])
    run(runtime)
    letter = DeadLetter.objects.get()
    assert (letter.message_id, letter.run_number, letter.body) == (wire.message_id, 100010, wire.body)
    assert (letter.destination, letter.namespace, letter.created_at) == (TOPIC, "testbed", bench.clock.now())
