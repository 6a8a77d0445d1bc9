"""One turn of an agent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from messaging_bench import ANSWERS, TOPIC, Answer, Bench
from swf.core.ids import CountingIds
from swf.core.messages import Body, Envelope
from swf.core.times import ManualClock
from swf.epic.messages import Slice, StfGen, TfFileRegistered
from swf.messaging.agent import Agent
from swf.messaging.turn import Form, Identity, Turn, subject_of
from swf.store.models import Event, OutboxMessage, SystemAgent

IDENTITY = Identity(name="data-agent-ann-1", role="data", namespace="testbed")
ONE, TWO = UUID(int=1), UUID(int=2)


def a_turn() -> Turn:
    return Turn(IDENTITY, ManualClock().now(), CountingIds(), next_seq=5)


def test_what_was_asked_for_since_a_mark_is_forgotten(store: Path) -> None:
    SystemAgent.objects.create(instance_name=IDENTITY.name, agent_type="data", namespace="testbed")
    happened: list[str] = []
    turn = a_turn()
    turn.send(TOPIC, Answer(run_id=1, text="stays"))
    turn.settle(ONE)
    turn.defer(ONE)
    turn.on_commit(lambda: happened.append("stays"))
    mark = turn.mark()
    turn.send(ANSWERS, Answer(run_id=1, text="goes"))
    turn.note("goes", "it", 1)
    turn.settle(TWO)
    turn.defer(TWO)
    turn.on_commit(lambda: happened.append("goes"))
    turn.rewind(mark)
    assert (turn.settled, turn.deferred, turn.next_seq) == ([ONE], {ONE}, 6)
    turn.send(TOPIC, Answer(run_id=1, text="takes its number"))
    assert turn.flush() == {TOPIC}
    turn.committed()
    assert happened == ["stays"]
    assert list(Event.objects.order_by("id").values_list("type", "sender_seq")) == [("answer", 5), ("answer", 6)]
    assert OutboxMessage.objects.count() == 2
    assert SystemAgent.objects.get().sender_seq == 6


def test_to_rewind_to_the_end_changes_nothing() -> None:
    turn = a_turn()
    turn.send(TOPIC, Answer(run_id=1))
    turn.rewind(turn.mark())
    assert turn.next_seq == 6


def test_a_message_is_in_the_log_as_it_is_sent(store: Path) -> None:
    bench = Bench("memory")
    runtime = bench.runtime(Agent(role="data"))
    with runtime.turn() as turn:
        for text in "ab":
            turn.send(ANSWERS, Answer(run_id=7, execution_id="x-ann-0001", text=text))
    rows, events = list(OutboxMessage.objects.order_by("id")), list(Event.objects.order_by("seq"))
    assert [(row.message_id, row.body, row.run_number) for row in rows] == [
        (event.message_id, event.body, event.run_number) for event in events
    ]
    first = bench.decoder.decode(rows[0].body, bench.clock.now())
    assert first.body == Answer(run_id=7, execution_id="x-ann-0001", text="a")
    assert (first.envelope.sender, first.envelope.sender_seq) == (runtime.identity.name, 1)
    assert (events[0].execution_id, events[0].destination, events[0].kind) == ("x-ann-0001", ANSWERS, "message")


def test_the_subject_of_a_message_is_its_slice_or_file() -> None:
    assert subject_of(Slice.model_construct(tf_filename="s.tf", filename="f.stf")) == "s.tf"
    assert subject_of(TfFileRegistered.model_construct(tf_filename="t.tf")) == "t.tf"
    assert subject_of(StfGen.model_construct(filename="f.stf")) == "f.stf"
    assert subject_of(Answer(run_id=1)) == ""


def in_other_words(envelope: Envelope, body: Body) -> str:
    return f"{body.msg_type} of run {body.run_id} at {envelope.created_at:%S.%f}"


def test_a_message_in_another_form_has_its_words_its_headers_and_an_instant_of_its_own(store: Path) -> None:
    bench = Bench("memory")
    runtime = bench.runtime(Agent(role="data"))
    form = Form(encode=in_other_words, headers={"vo": "eic"}, lifetime_s=60.0)
    with runtime.turn() as turn:
        turn.send(ANSWERS, Answer(run_id=7, text="a"))
        turn.send(ANSWERS, Answer(run_id=7, text="b"), form)
        turn.send(ANSWERS, Answer(run_id=7, text="c"), form)
    ours, *others = OutboxMessage.objects.order_by("id")
    assert (ours.headers, ours.expires_at) == (None, None)
    assert [row.body for row in others] == ["answer of run 7 at 00.000001", "answer of run 7 at 00.000002"]
    assert {row.expires_at for row in others} == {bench.clock.now() + timedelta(seconds=60)}
    assert [row.headers for row in others] == [{"vo": "eic"}] * 2
    # The log has them as they were sent, and finds them by what their readers know of them.
    event = Event.objects.get(created_at=bench.clock.now() + timedelta(microseconds=2))
    assert (event.body, event.message_id) == (others[1].body, others[1].message_id)
