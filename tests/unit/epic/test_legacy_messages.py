"""Messages of older agents, as those send them."""

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
from swf.core.codec import Decoder, encode, parse_object
from swf.core.errors import (
    ConfigError,
    ForeignNamespaceError,
    MalformedMessageError,
    MessageError,
    UnknownTypeError,
)
from swf.core.messages import Body, Envelope, Message, Vocabulary
from swf.epic.legacy import TRANSLATIONS, tolerant_decoder
from swf.epic.messages import EPIC_MESSAGES, EndRun, PauseRun, RunImminent, StartRun, StfGen, StfReady, TfFileRegistered
from swf.messaging.legacy import LegacyReader, Times, TolerantDecoder, Unusable, zone
from swf.messaging.settings import LegacySection

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
DAQ = {
    "execution_id": "fast_processing-ann-0007",
    "run_id": "102001",
    "timestamp": "2026-07-01T07:59:58.250000",
    "simulation_tick": 14.2,
    "state": "run",
    "substate": "physics",
    "sender": "daq_simulator-agent-ann-3",
    "namespace": "torre1",
}
STF = "swf.102001.000003.stf"
SLICE = {
    "run_id": "102001",
    "execution_id": "fast_processing-ann-0007",
    "req_id": "0b3c7a8e-6c1f-4b7e-9f5d-0a1b2c3d4e5f",
    "filename": STF,
    "tf_filename": "swf.102001.000003_slice_009.tf",
    "slice_id": 9,
    "start": 944,
    "end": 945,
    "tf_count": 2,
    "state": "queued",
    "substate": "new",
    "attempt": 2,
}


@pytest.fixture
def decoder() -> TolerantDecoder:
    return tolerant_decoder(LegacySection(enabled=True), "torre1")


def decoded(decoder: Decoder, **fields: Any) -> Message[Body]:
    return decoder.decode(json.dumps(fields), NOW)


def extra(**fields: Any) -> dict[str, Any]:
    vocabulary = Vocabulary(EPIC_MESSAGES)
    reader = LegacyReader(vocabulary, "torre1", Times(zone=zone("America/New_York")), TRANSLATIONS)
    text = json.dumps(fields)
    return reader.read(text, parse_object(text), NOW).extra


def test_a_time_without_a_zone_is_of_the_configured_one(decoder: TolerantDecoder) -> None:
    message = decoded(decoder, msg_type="start_run", **DAQ)
    assert message.body == StartRun(
        run_id=102001, execution_id=DAQ["execution_id"], simulation_tick=14.2, state="run", substate="physics"
    )
    assert message.envelope.created_at == datetime(2026, 7, 1, 11, 59, 58, 250000, tzinfo=UTC)
    assert message.envelope.schema == "legacy"
    assert message.envelope.sender == "daq_simulator-agent-ann-3"


def test_the_same_message_twice_is_the_same_one_and_another_is_another(decoder: TolerantDecoder) -> None:
    first = decoded(decoder, msg_type="start_run", **DAQ)
    again = decoder.decode(json.dumps({"msg_type": "start_run", **DAQ}).encode(), NOW)
    other = decoded(decoder, msg_type="start_run", **(DAQ | {"run_id": "102002"}))
    assert first.envelope == again.envelope
    assert first.envelope.message_id != other.envelope.message_id


def test_what_a_sender_says_later_has_the_larger_number(decoder: TolerantDecoder) -> None:
    start = decoded(decoder, msg_type="start_run", **DAQ)
    pause = decoded(decoder, msg_type="pause_run", **(DAQ | {"timestamp": "2026-07-01T07:59:58.250001"}))
    assert 0 < start.envelope.sender_seq < pause.envelope.sender_seq < 2**63


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ({"timestamp": "2026-07-01T11:00:00+00:00"}, datetime(2026, 7, 1, 11, tzinfo=UTC)),
        ({"timestamp": "2026-01-15T07:00:00"}, datetime(2026, 1, 15, 12, tzinfo=UTC)),
        ({"ts": "20260701070000"}, datetime(2026, 7, 1, 11, tzinfo=UTC)),
        (
            {"created_at": "2026-07-01T11:00:00Z", "timestamp": "2020-01-01T00:00:00"},
            datetime(2026, 7, 1, 11, tzinfo=UTC),
        ),
        ({}, NOW),
    ],
)
def test_when_it_was_sent_is_said_in_several_ways(
    decoder: TolerantDecoder, sent: dict[str, str], instant: datetime
) -> None:
    said = {name: value for name, value in DAQ.items() if name != "timestamp"}
    assert decoded(decoder, msg_type="start_run", **said, **sent).envelope.created_at == instant


def test_run_imminent_keeps_what_older_daqs_say_of_the_conditions(decoder: TolerantDecoder) -> None:
    conditions = {"beam_energy": "5 GeV", "magnetic_field": "1.5T"}
    said = {"dataset": "swf.102001.run", "container": "/data/stf", "req_id": 1, "run_conditions": conditions}
    body = decoded(decoder, msg_type="run_imminent", **(DAQ | {"run_id": 102001}), **said).body
    assert isinstance(body, RunImminent)
    assert (body.run_id, body.dataset) == (102001, "swf.102001.run")
    assert body.workflow_params == {"legacy": {"container": "/data/stf", "req_id": 1, "run_conditions": conditions}}


def test_pauses_and_ends(decoder: TolerantDecoder) -> None:
    pause = decoded(decoder, msg_type="pause_run", reason="Brief standby period", **DAQ).body
    assert isinstance(pause, PauseRun)
    assert pause.reason == "Brief standby period"
    assert decoded(decoder, msg_type="resume_run", **DAQ).body.msg_type == "resume_run"
    said = {name: value for name, value in DAQ.items() if name not in {"state", "substate"}}
    end = decoded(decoder, msg_type="end_run", total_stf_files=10, **said).body
    assert end == EndRun(run_id=102001, execution_id=DAQ["execution_id"], simulation_tick=14.2, total_stf_files=10)


def test_an_stf_without_checksums_is_one_without_content(decoder: TolerantDecoder) -> None:
    body = decoded(decoder, msg_type="stf_gen", filename=STF, sequence=3, **DAQ).body
    assert isinstance(body, StfGen)
    assert (body.filename, body.sequence, body.tf_count, body.tf_first) == (STF, 3, 1000, 2000)
    assert not body.has_content


def test_checksums_of_another_kind_are_kept_aside(decoder: TolerantDecoder) -> None:
    said = {"msg_type": "stf_gen", "filename": STF, "checksum": "ad:123456", "size": 300, **DAQ}
    body = decoded(decoder, **said).body
    assert isinstance(body, StfGen)
    assert (body.sequence, body.has_content, body.size_bytes) == (3, False, 0)
    assert extra(**said) == {"checksum": "ad:123456", "size": 300}


def test_stf_ready_of_the_fast_path_with_all_its_nulls(decoder: TolerantDecoder) -> None:
    nulls = dict.fromkeys(("file_url", "checksum", "size_bytes", "start", "end"))
    said = {name: value for name, value in DAQ.items() if name not in {"execution_id", "sender", "timestamp"}}
    message = decoded(
        decoder, msg_type="stf_ready", filename=STF, sequence=3, processed_by="data-agent-ann-4", **nulls, **said
    )
    assert isinstance(message.body, StfReady)
    assert message.body.execution_id is None
    assert message.envelope.sender == "data-agent-ann-4"


def test_stf_ready_of_the_prompt_path_names_no_stf_and_is_passed_over(decoder: TolerantDecoder) -> None:
    message = decoded(decoder, msg_type="stf_ready", run_id="102001", req_id=1, namespace="torre1")
    assert isinstance(message.body, Unusable)
    assert "names no STF" in message.body.why
    assert type(message.body) not in EPIC_MESSAGES


def test_which_sample_file_it_is_says_its_name(decoder: TolerantDecoder) -> None:
    said = {
        "run_id": "102001",
        "execution_id": None,
        "processed_by": "fastmon-agent-ann-5",
        "tf_file_id": "5e0d",
        "tf_filename": "swf.102001.000003_tf_007.tf",
        "tf_first": 930,
        "tf_last": 950,
        "tf_count": 21,
        "file_size_bytes": 21,
        "stf_filename": STF,
        "status": "registered",
        "timestamp": "2026-07-01T07:59:58",
    }
    body = decoded(decoder, msg_type="tf_file_registered", **said).body
    assert isinstance(body, TfFileRegistered)
    assert (body.sample_index, body.sample_count) == (7, 7)
    assert extra(msg_type="tf_file_registered", **said) == {
        "processed_by": "fastmon-agent-ann-5",
        "tf_file_id": "5e0d",
        "status": "registered",
    }


def test_without_a_namespace_it_is_for_everybody_and_with_another_for_others(decoder: TolerantDecoder) -> None:
    said = {name: value for name, value in DAQ.items() if name != "namespace"}
    assert decoded(decoder, msg_type="start_run", **said).envelope.namespace == "torre1"
    assert decoded(decoder, msg_type="start_run", namespace=None, **said).envelope.namespace == "torre1"
    with pytest.raises(ForeignNamespaceError):
        decoded(decoder, msg_type="start_run", namespace="torre2", **said)


def test_a_sender_with_an_unusual_name_gets_a_usual_one(decoder: TolerantDecoder) -> None:
    for name, usual in (("ann's agent/1", "ann_s_agent_1"), ("", "unnamed"), (7, "unnamed"), ("__", "unnamed")):
        assert decoded(decoder, msg_type="start_run", **(DAQ | {"sender": name})).envelope.sender == usual


def test_a_message_with_a_schema_is_read_as_strictly_as_ever(decoder: TolerantDecoder) -> None:
    with pytest.raises(MalformedMessageError, match="lacks"):
        decoded(decoder, msg_type="start_run", schema="swf/1", **DAQ)
    body = StartRun(run_id=1)
    envelope = Envelope(message_id=UUID(int=1), namespace="torre1", sender="a", sender_seq=1, created_at=NOW)
    assert decoder.decode(encode(envelope, body), NOW).body == body


def test_without_being_asked_nobody_reads_them() -> None:
    with pytest.raises(MalformedMessageError, match="lacks created_at, message_id, schema, sender_seq"):
        decoded(Decoder(Vocabulary(EPIC_MESSAGES), "torre1"), msg_type="start_run", **DAQ)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"run_id": "yesterday"}, "run_id"),
        ({"run_id": None}, "run_id"),
        ({"timestamp": "yesterday"}, "yesterday"),
        ({"timestamp": 5}, "expected an instant"),
        ({"timestamp": "2200-01-01T00:00:00"}, "between 2015 and tomorrow"),
        ({"timestamp": "0001-01-01T00:00:00"}, "between 2015 and tomorrow|beyond the calendar"),
        ({"timestamp": "9999-12-31T23:59:59-12:00"}, "between 2015 and tomorrow|beyond the calendar"),
        ({"namespace": "../torre1"}, "namespace"),
        ({"namespace": 5}, "namespace"),
        ({"filename": "../../etc/passwd"}, "is not the name of an STF"),
        ({"filename": "swf.102002.000003.stf"}, "is not STF 3 of run 102001"),
        ({"filename": "swf.20240101.120000.1.run.physics.stf"}, "is not the name of an STF"),
        ({"filename": 7}, "filename"),
        ({"sequence": "x", "filename": STF}, "sequence"),
        ({"tf_count": [], "filename": STF}, "tf_count"),
    ],
)
def test_what_makes_no_sense_is_refused(decoder: TolerantDecoder, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(MalformedMessageError, match=expected):
        decoded(decoder, **({"msg_type": "stf_gen", "filename": STF} | DAQ | changes))


def test_other_types_are_unknown_as_ever(decoder: TolerantDecoder) -> None:
    with pytest.raises(UnknownTypeError):
        decoded(decoder, msg_type="heartbeat", **DAQ)
    with pytest.raises(MalformedMessageError, match="msg_type"):
        decoded(decoder, **DAQ)


def test_an_unknown_zone_is_a_configuration_error() -> None:
    for name in ("Mars/Olympus", "", "../../etc/passwd"):
        with pytest.raises(ConfigError, match="time_zone"):
            tolerant_decoder(LegacySection(enabled=True, time_zone=name), "torre1")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    [
        *DAQ,
        *SLICE,
        "content",
        "result",
        "tf_filename",
        "sequence",
        "tf_count",
        "size_bytes",
        "created_at",
        "ts",
        "sender_seq",
    ]
)


@given(
    st.sampled_from([body.msg_type for body in EPIC_MESSAGES]),
    st.dictionaries(field_names, json_values, max_size=8),
    st.dictionaries(
        st.sampled_from(["state", "result", "processed_at", "req_id", "panda_id"]), json_values, max_size=4
    ),
)
def test_whatever_it_says_it_is_read_or_refused(
    msg_type: str, changes: dict[str, Any], content: dict[str, Any]
) -> None:
    tolerant = tolerant_decoder(LegacySection(enabled=True), "torre1")
    said = {**DAQ, "filename": STF, **changes, "msg_type": msg_type}
    for fields in (said, {**said, "content": content}, {**said, "content": {**content, "result": {"result": SLICE}}}):
        with suppress(MessageError):
            tolerant.decode(json.dumps(fields), NOW)


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if each.name != "no schema"], ids=lambda each: each.name)
def test_hostile_messages_are_refused_as_by_the_strict_decoder(hostile: Hostile) -> None:
    tolerant = tolerant_decoder(LegacySection(enabled=True), "testbed")
    with pytest.raises(MessageError) as refusal:
        tolerant.decode(hostile.payload, THEN)
    assert type(refusal.value) is hostile.error
