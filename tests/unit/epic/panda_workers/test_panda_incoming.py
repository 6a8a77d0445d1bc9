"""Reading what PanDA workers answer."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile import HOSTILE, Hostile
from hostile import NOW as THEN
from panda_messages import HEARTBEAT, SLICE, panda_result
from swf.core.codec import Decoder, encode
from swf.core.errors import ForeignNamespaceError, MalformedMessageError, MessageError
from swf.core.messages import Body, Envelope, Message, Vocabulary
from swf.epic.legacy import tolerant_decoder
from swf.epic.messages import EPIC_MESSAGES, StartRun
from swf.epic.panda_workers.incoming import ResultDecoder, read_instant
from swf.epic.panda_workers.messages import PandaResult
from swf.messaging.legacy import Unusable
from swf.messaging.settings import LegacySection

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def decoder(namespace: str = "torre1") -> ResultDecoder:
    return ResultDecoder(Decoder(Vocabulary(EPIC_MESSAGES), namespace), namespace)


def decoded(fields: dict[str, Any]) -> Message[Body]:
    return decoder().decode(json.dumps(fields), NOW)


def result(fields: dict[str, Any]) -> PandaResult:
    body = decoded(fields).body
    assert isinstance(body, PandaResult)
    return body


def test_a_slice_that_is_done() -> None:
    said = panda_result(SLICE)
    message = decoded(said)
    assert message.body == PandaResult(
        run_id=102001,
        execution_id="fast_processing-ann-0007",
        req_id=UUID(SLICE["req_id"]),
        filename=SLICE["filename"],
        tf_filename=SLICE["tf_filename"],
        slice_id=9,
        start=944,
        end=945,
        requested_at=datetime(2026, 7, 1, 11, 0, 0, 1, tzinfo=UTC),
        done=True,
        outcome="ok",
        detail="output: /out/a.root",
        worker="panda-6543",
        hostname="wn7.example.org",
        started_at=datetime(2026, 7, 1, 11, 0, 10, 500000, tzinfo=UTC),
        finished_at=datetime(2026, 7, 1, 11, 0, 30, 500000, tzinfo=UTC),
        seconds=19.5,
    )
    assert (message.envelope.schema, message.envelope.sender) == ("panda", "panda-6543")
    assert message.envelope.created_at == datetime(2026, 7, 1, 11, 0, 31, 500000, tzinfo=UTC)
    assert decoded(said).envelope.message_id == message.envelope.message_id
    assert decoded(panda_result(SLICE, job=1)).envelope.message_id != message.envelope.message_id


def test_a_failure_says_when_it_was_asked_for_and_why_it_failed() -> None:
    body = result(panda_result(None, done=False, error="no such image\n"))
    assert (body.done, body.outcome, body.detail, body.req_id) == (False, "crashed", "no such image", None)
    assert body.requested_at == datetime(2026, 7, 1, 11, 0, 0, 1, tzinfo=UTC)
    assert body.seconds == 20.0
    assert result(panda_result(None, done=False)).detail == "it says no reason"


def test_a_result_of_null_altogether() -> None:
    said = panda_result(None, done=False)
    said["content"]["result"] = None
    assert (result(said).done, result(said).req_id) == (False, None)


def test_done_and_failed_at_once_is_failed() -> None:
    said = panda_result(SLICE)
    said["content"]["result"]["state"] = False
    assert not result(said).done
    assert not result(panda_result(SLICE) | {"content": {"state": "running"}}).done


def test_a_slice_need_not_say_its_request() -> None:
    body = result(panda_result({name: value for name, value in SLICE.items() if name != "req_id"}))
    assert (body.req_id, body.filename, body.start, body.end) == (None, SLICE["filename"], 944, 945)


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        ("2026-07-01T11:00:00.25", datetime(2026, 7, 1, 11, 0, 0, 250000, tzinfo=UTC)),
        ("2026-07-01T13:00:00+02:00", datetime(2026, 7, 1, 11, tzinfo=UTC)),
        ("Wed, 01 Jul 2026 11:00:00 UTC", datetime(2026, 7, 1, 11, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (1782903631.5, None),
        (None, None),
        ("9999-12-31T23:59:59-12:00", None),
    ],
)
def test_times_are_of_utc_in_whatever_way_they_are_written(said: object, instant: datetime | None) -> None:
    assert read_instant(said) == instant


def test_a_result_is_not_lost_for_a_time_that_cannot_be_read() -> None:
    said = panda_result(SLICE, created_at="soon", requested_at="then")
    said["content"]["processed_at"] = 12
    message = decoded(said)
    assert message.envelope.created_at == NOW
    assert isinstance(message.body, PandaResult)
    assert (message.body.requested_at, message.body.finished_at) == (None, None)


@pytest.mark.parametrize(
    "said",
    [HEARTBEAT, {**HEARTBEAT, "namespace": None}, panda_result(None, done=False, run_id=None, requested_at=None)],
)
def test_what_is_about_no_run_is_passed_over(said: dict[str, Any]) -> None:
    assert isinstance(decoded(said).body, Unusable)


def test_another_namespace_is_none_of_ours() -> None:
    for said in (panda_result(SLICE, namespace="torre2"), {**HEARTBEAT, "namespace": "torre2"}):
        with pytest.raises(ForeignNamespaceError):
            decoded(said)
    assert result(panda_result(SLICE, namespace="torre1")).run_id == 102001


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (panda_result(SLICE, run_id="yesterday"), "run_id"),
        (panda_result(SLICE, msg_type="slice"), "expected a slice_result"),
        (panda_result(SLICE, content=[1]), "expected a slice_result with an object in content"),
        (panda_result({**SLICE, "req_id": "first"}), "req_id: expected a UUID, got 'first'"),
        (panda_result({**SLICE, "filename": "../../etc/passwd"}), "filename"),
        (panda_result({**SLICE, "start": -1}), "start"),
        (panda_result({**SLICE, "end": "945"}), "end"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, Any], expected: str) -> None:
    with pytest.raises(MalformedMessageError, match=expected):
        decoded(said)


def test_everything_else_is_read_as_ever() -> None:
    body = StartRun(run_id=1)
    envelope = Envelope(message_id=UUID(int=1), namespace="torre1", sender="a", sender_seq=1, created_at=NOW)
    assert decoder().decode(encode(envelope, body), NOW).body == body
    older = {"msg_type": "start_run", "run_id": "7", "timestamp": "2026-07-01T07:00:00"}
    with pytest.raises(MalformedMessageError, match="lacks"):
        decoded(older)
    tolerant = ResultDecoder(tolerant_decoder(LegacySection(enabled=True), "torre1"), "torre1")
    assert tolerant.decode(json.dumps(older), NOW).body == StartRun(run_id=7)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each.name)
def test_hostile_messages_are_refused_as_ever(hostile: Hostile) -> None:
    with pytest.raises(MessageError) as refusal:
        decoder("testbed").decode(hostile.payload, THEN)
    assert type(refusal.value) is hostile.error


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["run_id", "created_at", "namespace", "msg_type", "content"]), json_values),
    st.dictionaries(st.sampled_from(list(panda_result(SLICE)["content"])), json_values, max_size=5),
    st.dictionaries(st.sampled_from([*SLICE, "actual_processing_time", "output_file"]), json_values, max_size=5),
)
def test_whatever_it_says_it_is_read_or_refused(
    outer: dict[str, Any], content: dict[str, Any], inner: dict[str, Any]
) -> None:
    said = panda_result({**SLICE, **inner})
    said["content"].update(content)
    for fields in (said, {**said, **outer}):
        with suppress(MessageError):
            decoder().decode(json.dumps(fields), NOW)
