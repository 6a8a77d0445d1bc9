"""Hostile payloads at the runtime: whatever comes, what comes behind it is handled, and the reason is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hostile import HOSTILE, STF_GEN, Hostile
from messaging_bench import QUEUE, TOPIC, Bench, run
from swf.core.codec import MAX_BYTES
from swf.core.errors import ForeignNamespaceError
from swf.core.messages import Message, Vocabulary
from swf.epic.messages import EPIC_MESSAGES, StfGen
from swf.messaging.agent import Agent
from swf.messaging.runtime import Runtime
from swf.messaging.turn import Turn
from swf.store.models import DeadLetter


def probe(sequence: int) -> str:
    """A good message, told apart by its number."""
    changes = {
        "message_id": str(UUID(int=(7 << 76) | (2 << 62) | sequence)),
        "sequence": sequence,
        "filename": f"swf.100010.{sequence:06d}.stf",
    }
    return json.dumps(STF_GEN | changes)


def storable(case: Hostile) -> bool:
    """Whether a row of the embedded bus can hold it: such a bus brings nothing else."""
    try:
        return isinstance(case.payload, str) and "\0" not in case.payload.encode().decode()
    except UnicodeError:
        return False


def octets(payload: str | bytes) -> bytes:
    """What it is on the wire."""
    return payload if isinstance(payload, bytes) else payload.encode(errors="surrogatepass")


class Listener:
    """Handles every type there is, and remembers the STFs in their order."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, turn: Turn, messages: Sequence[Message[Any]]) -> None:
        self.seen += [m.body.sequence for m in messages if isinstance(m.body, StfGen)]


def listening(bench: Bench, destination: str, **options: Any) -> tuple[Listener, Runtime]:
    listener = Listener()
    handlers = dict.fromkeys(EPIC_MESSAGES, listener)
    return listener, bench.runtime(Agent(role="data", subscriptions=(destination,), handlers=handlers), **options)


@pytest.mark.parametrize("batch", [1, 1000], ids=lambda batch: f"batch {batch}")
@pytest.mark.parametrize("destination", [TOPIC, QUEUE])
@pytest.mark.parametrize("kind", Bench.KINDS)
def test_what_comes_behind_a_hostile_message_is_handled(store: Path, kind: str, destination: str, batch: int) -> None:
    bench = Bench(kind, Vocabulary(EPIC_MESSAGES))
    listener, runtime = listening(bench, destination, batch=batch)
    cases = [case for case in HOSTILE if kind == "memory" or storable(case)]
    for number, case in enumerate(cases, start=1):
        bench.bus.publish(
            [
                bench.raw(case.payload, destination, "stf_gen"),
                bench.raw(probe(number), destination, "stf_gen"),
            ]
        )
    run(runtime)
    assert listener.seen == list(range(1, len(cases) + 1))
    # Each is told by its own reason; those with one and the same bytes are one letter.
    refused = {octets(case.payload): case for case in cases if case.error is not ForeignNamespaceError}
    letters = list(DeadLetter.objects.order_by("id"))
    assert len(letters) == len(refused)
    for letter, case in zip(letters, refused.values(), strict=True):
        assert (letter.error, letter.state) == (case.error.__name__, "parked"), case.name
        assert case.words in letter.reason, case.name
        assert (letter.destination, letter.role) == (destination, "data")
    assert runtime.counts.foreign == sum(case.error is ForeignNamespaceError for case in cases) > 0
    assert runtime.counts.failed == len(cases) - runtime.counts.foreign
    # All of it was acknowledged.
    bench.restart()
    assert not listening(bench, destination)[1].step()


def test_a_hostile_message_that_comes_again_is_one_letter(store: Path) -> None:
    bench = Bench("memory", Vocabulary(EPIC_MESSAGES))
    _, runtime = listening(bench, TOPIC)
    bench.bus.publish([bench.raw(b"\xff not text")] * 3)
    run(runtime)
    letter = DeadLetter.objects.get()
    assert (letter.attempts, letter.body) == (3, "\\xff not text")


def test_of_a_message_that_is_too_large_the_beginning_is_kept(store: Path) -> None:
    bench = Bench("memory", Vocabulary(EPIC_MESSAGES))
    _, runtime = listening(bench, TOPIC)
    bench.bus.publish([bench.raw(b"[" * 5_000_000)])
    run(runtime)
    letter = DeadLetter.objects.get()
    assert letter.reason == "the message has 5000000 bytes; at most 1000000 are accepted"
    assert letter.body == "[" * MAX_BYTES


@pytest.mark.parametrize("payload", [b'{"a": "\x00"}', '{"a": "\x00"}', '{"a": "\ud800"}', b"\xed\xa0\x80"])
def test_what_no_row_can_hold_is_kept_in_other_words(store: Path, payload: Any) -> None:
    bench = Bench("memory", Vocabulary(EPIC_MESSAGES))
    _, runtime = listening(bench, TOPIC)
    bench.bus.publish([bench.raw(payload)])
    run(runtime)
    body = DeadLetter.objects.get().body
    assert "\0" not in body
    assert body.encode()
    assert "\\x" in body
