"""Between messages and their text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile import GOOD, HOSTILE, NAMESPACE, NOW, STF_GEN, Hostile
from swf.core.codec import MAX_BYTES, Decoder, encode, parse_object
from swf.core.errors import MalformedMessageError, MessageError
from swf.core.messages import MAX_RUN, Body, Envelope, Vocabulary
from swf.epic.messages import EPIC_MESSAGES, EndRun, RunImminent, StfGen


class Note(Body):
    msg_type = "note"

    text: str = ""
    values: dict[str, Any] = {}


DECODER = Decoder(Vocabulary(EPIC_MESSAGES), NAMESPACE)
STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | STORABLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STORABLE, inner, max_size=3),
    max_leaves=8,
)
ENVELOPES = st.builds(
    Envelope,
    message_id=st.uuids(),
    namespace=st.just(NAMESPACE),
    sender=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,20}\Z", fullmatch=True),
    sender_seq=st.integers(0, 2**63 - 1),
    created_at=st.datetimes(datetime(2015, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)


@given(ENVELOPES, st.integers(1, MAX_RUN), STORABLE, st.dictionaries(STORABLE, JSON, max_size=4))
def test_what_is_encoded_is_decoded(envelope: Envelope, run: int, text: str, values: dict[str, Any]) -> None:
    body = Note(run_id=run, execution_id="x-ann-0001", text=text, values=values)
    decoder = Decoder(Vocabulary([Note]), NAMESPACE)
    for wire in (encode(envelope, body), encode(envelope, body).encode()):
        message = decoder.decode(wire, NOW)
        assert message.envelope == envelope
        assert message.body == body


@given(ENVELOPES)
def test_a_run_number_is_a_string_on_the_wire_and_a_number_here(envelope: Envelope) -> None:
    wire = encode(envelope, EndRun(run_id=100010, total_stf_files=3))
    assert json.loads(wire)["run_id"] == "100010"
    assert DECODER.decode(wire, NOW).body == EndRun(run_id=100010, total_stf_files=3)


@pytest.mark.parametrize("fields", GOOD, ids=lambda fields: fields["msg_type"])
def test_what_the_corpus_spoils_is_good(fields: dict[str, Any]) -> None:
    message = DECODER.decode(json.dumps(fields), NOW)
    assert message.body.msg_type == fields["msg_type"]
    assert message.envelope.message_id == UUID(fields["message_id"])


def test_the_corpus_is_large_and_its_names_are_its_own() -> None:
    assert len(HOSTILE) >= 60
    assert len({case.name for case in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_hostile_payload_is_refused_with_its_reason(case: Hostile) -> None:
    with pytest.raises(MessageError) as refusal:
        DECODER.decode(case.payload, NOW)
    assert type(refusal.value) is case.error
    assert case.words in str(refusal.value)
    # The reason is kept in a row and shown to people: whatever was sent, it is short and can be stored.
    assert len(str(refusal.value)) < 2000
    assert "\0" not in str(refusal.value).encode().decode()


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(MessageError):
        DECODER.decode(data, NOW)


@given(st.dictionaries(st.sampled_from(sorted(STF_GEN)), JSON, min_size=1, max_size=4))
def test_no_values_raise_anything_else(changes: dict[str, Any]) -> None:
    try:
        message = DECODER.decode(json.dumps(STF_GEN | changes), NOW)
    except MessageError:
        return
    assert isinstance(message.body, StfGen)
    assert message.body.filename == f"swf.{message.body.run_id}.{message.body.sequence:06d}.stf"


def test_a_message_of_just_the_largest_size_is_read() -> None:
    padding = MAX_BYTES - len(json.dumps({"a": ""}))
    assert parse_object(json.dumps({"a": "x" * padding}))["a"][:3] == "xxx"
    with pytest.raises(MalformedMessageError, match="1000001 bytes"):
        parse_object(json.dumps({"a": "x" * (padding + 1)}))


def test_sixteen_levels_are_read() -> None:
    levels = 16
    text = '{"a":' * levels + "1" + "}" * levels
    assert parse_object(text)
    with pytest.raises(MalformedMessageError, match="deeper than 16"):
        parse_object('{"a":' + text + "}")


def test_escapes_that_mean_real_characters_are_read() -> None:
    assert parse_object('{"a": "\\ud83d\\ude00 \\\\u0000 \\u00e9"}') == {"a": "😀 \\u0000 é"}


def test_a_peer_whose_clock_is_a_day_ahead_is_believed() -> None:
    ahead = STF_GEN | {"created_at": "2026-01-01T23:59:59+00:00"}
    assert DECODER.decode(json.dumps(ahead), NOW).envelope.created_at == NOW + timedelta(seconds=86399)


def test_two_bodies_cannot_claim_one_type() -> None:
    class Other(Body):
        msg_type = "note"

    with pytest.raises(ValueError, match="two message bodies claim the type 'note'"):
        Vocabulary([Note, Other])


@given(st.dictionaries(STORABLE, JSON, max_size=3))
def test_parameters_pass_through_a_notice(values: dict[str, Any]) -> None:
    envelope = Envelope(message_id=UUID(int=1), namespace=NAMESPACE, sender="daq", sender_seq=1, created_at=NOW)
    body = RunImminent(run_id=1, workflow_params=values)
    assert DECODER.decode(encode(envelope, body), NOW).body == body
