"""Payloads that no peer should send, and what becomes of each: the error's class and words of its message.

Used at the decoder and at the runtime; `GOOD` is the kind of message that they spoil.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from swf.core.errors import (
    ForeignNamespaceError,
    MalformedMessageError,
    MessageError,
    NewerSchemaError,
    UnknownTypeError,
)

NAMESPACE = "testbed"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""Where a `ManualClock` begins."""

_REQUEST = "018f0000-0000-7000-8000-00000000beef"

ENVELOPE: dict[str, Any] = {
    "namespace": NAMESPACE,
    "sender": "daq_simulator-agent-ann-1",
    "created_at": "2026-01-01T00:00:00.000000Z",
    "message_id": "018f0000-0000-7000-8000-000000000001",
    "schema": "swf/1",
    "sender_seq": 1,
}

STF_GEN: dict[str, Any] = {
    **ENVELOPE,
    "msg_type": "stf_gen",
    "run_id": "100010",
    "execution_id": "fast_processing-ann-0001",
    "state": "run",
    "substate": "physics",
    "filename": "swf.100010.000001.stf",
    "sequence": 1,
    "tf_count": 1000,
    "tf_first": 0,
    "size_bytes": 12,
    "checksum": "0a1b2c3d",
    "sha256": "ab" * 32,
    "has_content": True,
    "simulated": True,
    "simulation_tick": 1.5,
}

TF_FILE: dict[str, Any] = {
    **ENVELOPE,
    "msg_type": "tf_file_registered",
    "run_id": "100010",
    "tf_filename": "swf.100010.000001_tf_001.tf",
    "stf_filename": "swf.100010.000001.stf",
    "tf_first": 0,
    "tf_last": 99,
    "tf_count": 100,
    "sample_index": 1,
    "sample_count": 1,
    "file_size_bytes": 12,
}

SLICE: dict[str, Any] = {
    **ENVELOPE,
    "msg_type": "slice",
    "run_id": "100010",
    "slice_id": 0,
    "tf_filename": "swf.100010.000001_slice_000.tf",
    "filename": "swf.100010.000001.stf",
    "start": 0,
    "end": 6,
    "tf_count": 7,
    "req_id": _REQUEST,
    "attempt": 1,
}

RESULT: dict[str, Any] = {
    **ENVELOPE,
    "msg_type": "slice_result",
    "run_id": "100010",
    "tf_filename": "swf.100010.000001_slice_000.tf",
    "filename": "swf.100010.000001.stf",
    "slice_id": 0,
    "req_id": _REQUEST,
    "attempt": 1,
    "result": "done",
    "outcome": "ok",
    "worker": "worker-agent-ann-6",
    "started_at": "2026-01-01T00:00:00Z",
    "summary": {"hits_found": 3},
}

IMMINENT: dict[str, Any] = {**ENVELOPE, "msg_type": "run_imminent", "run_id": "100010", "workflow_params": {}}

END: dict[str, Any] = {**ENVELOPE, "msg_type": "end_run", "run_id": "100010", "total_stf_files": 1}

GOOD: tuple[dict[str, Any], ...] = (STF_GEN, TF_FILE, SLICE, RESULT, IMMINENT, END)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One payload, and how it is refused."""

    name: str
    payload: str | bytes
    error: type[MessageError]
    words: str
    """What the error's message contains."""


def _raw(name: str, payload: str | bytes, words: str) -> Hostile:
    return Hostile(name=name, payload=payload, error=MalformedMessageError, words=words)


def _with(
    name: str,
    base: dict[str, Any],
    words: str,
    error: type[MessageError] = MalformedMessageError,
    **changes: Any,
) -> Hostile:
    return Hostile(name=name, payload=json.dumps({**base, **changes}), error=error, words=words)


def _without(field: str, base: dict[str, Any], words: str) -> Hostile:
    return _raw(f"no {field}", json.dumps({k: v for k, v in base.items() if k != field}), words)


def _spliced(name: str, base: dict[str, Any], field: str, literal: str, words: str) -> Hostile:
    """`base` with a field whose value is written as it stands, JSON or not."""
    text = json.dumps({k: v for k, v in base.items() if k != field})
    return _raw(name, f'{text[:-1]}, "{field}": {literal}}}', words)


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


_TEXT = json.dumps(STF_GEN)
_ESCAPE = "\\"

HOSTILE: tuple[Hostile, ...] = (
    # Not a text, not JSON, not an object
    _raw("empty", "", "not JSON"),
    _raw("empty bytes", b"", "not JSON"),
    _raw("blanks", "   \n", "not JSON"),
    _raw("words", "hello, is anybody there?", "not JSON"),
    _raw("a stack trace", b"Traceback (most recent call last):\n  File", "not JSON"),
    _raw("an HTTP request", b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n", "not JSON"),
    _raw("not UTF-8", b"\xff\xfe\x00", "not UTF-8"),
    _raw("Latin-1", '{"msg_type": "stf_gen", "sender": "Müller"}'.encode("latin-1"), "not UTF-8"),
    _raw("UTF-16", _TEXT.encode("utf-16"), "not UTF-8"),
    _raw("UTF-32 without mark", _TEXT.encode("utf-32-le"), "not JSON"),
    _raw("a byte-order mark", b"\xef\xbb\xbf" + _TEXT.encode(), "not JSON"),
    _raw("a bare half of a surrogate pair", '{"msg_type": "\ud800"}', "not UTF-8"),
    _raw("an encoded half of a surrogate pair", b'{"msg_type": "\xed\xa0\x80"}', "not UTF-8"),
    _raw("truncated", _TEXT[: len(_TEXT) // 2], "not JSON"),
    _raw("cut before the last brace", _TEXT[:-1], "not JSON"),
    _raw("two objects", _TEXT + _TEXT, "not JSON"),
    _raw("single quotes", str(STF_GEN), "not JSON"),
    _raw("a trailing comma", _TEXT[:-1] + ",}", "not JSON"),
    _raw("a null", "null", "a JSON NoneType; expected an object"),
    _raw("a number", "42", "a JSON int; expected an object"),
    _raw("a string", '"stf_gen"', "a JSON str; expected an object"),
    _raw("a list of messages", json.dumps([STF_GEN, STF_GEN]), "a JSON list; expected an object"),
    _raw("an empty object", "{}", "lacks msg_type, namespace, sender, created_at, message_id, schema, sender_seq"),
    _raw("null bytes", b"\x00" * 64, "not JSON"),
    _raw("a null byte within", _TEXT.replace("physics", "phy\x00sics"), "not JSON"),
    # Too much
    _raw("ten million bytes", b'{"a": "' + b"x" * 10_000_000 + b'"}', "10000009 bytes; at most 1000000"),
    _raw("a text of a million two-byte letters", '{"a": "' + "é" * 700_000 + '"}', "1400009 bytes; at most 1000000"),
    _raw(
        "a million keys",
        "{" + ",".join(f'"{n}":1' for n in range(1_000_000)) + "}",
        "bytes; at most 1000000 are accepted",
    ),
    _with("a hundred thousand keys", STF_GEN, "(and", **{f"k{n}": 0 for n in range(70_000)}),
    _raw("lists without end", "[" * 100_000, "nested deeper than 16 levels"),
    _raw("objects without end", '{"a":' * 100_000, "nested deeper than 16 levels"),
    _with("a deep object", IMMINENT, "nested deeper than 16 levels", workflow_params={"deep": _nested(15)}),
    _spliced("a number of 5,000 digits", STF_GEN, "sequence", "9" * 5000, "not JSON"),
    _with("a key of half a megabyte", STF_GEN, "Extra inputs are not permitted", **{"k" * 500_000: 1}),
    # What JSON lets pass
    _raw("a repeated key", _TEXT[:-1] + ', "sequence": 2}', "repeats a key"),
    _raw("a repeated key within", _TEXT[:-1] + ', "extra": {"a": 1, "a": 2}}', "repeats a key"),
    _spliced("NaN", STF_GEN, "simulation_tick", "NaN", "contains NaN"),
    _spliced("Infinity", STF_GEN, "simulation_tick", "Infinity", "contains Infinity"),
    _spliced("minus Infinity", IMMINENT, "workflow_params", '{"a": -Infinity}', "contains -Infinity"),
    _spliced("a number beyond all floats", IMMINENT, "workflow_params", '{"a": 1e999}', "1e999, which is too large"),
    _spliced("an escaped null", STF_GEN, "substate", f'"a{_ESCAPE}u0000b"', "null character"),
    _spliced("an escaped half pair", STF_GEN, "substate", f'"{_ESCAPE}ud83d"', "half of a surrogate pair"),
    _spliced("a half pair in a key", IMMINENT, "workflow_params", f'{{"{_ESCAPE}udc00": 1}}', "surrogate pair"),
    _spliced("a null deep in a summary", RESULT, "summary", f'{{"a": [["{_ESCAPE}u0000"]]}}', "null character"),
    # The envelope
    *(_without(field, STF_GEN, f"lacks {field}") for field in ("msg_type", "namespace", "sender", "schema")),
    _without("message_id", STF_GEN, "lacks message_id"),
    _without("sender_seq", STF_GEN, "lacks sender_seq"),
    _without("created_at", STF_GEN, "lacks created_at"),
    _with("an unknown type", STF_GEN, "unknown msg_type 'stf_gone'", UnknownTypeError, msg_type="stf_gone"),
    _with("a type in capitals", STF_GEN, "unknown msg_type 'STF_GEN'", UnknownTypeError, msg_type="STF_GEN"),
    _with("a type of 10,000 letters", STF_GEN, "known: end_run", UnknownTypeError, msg_type="x" * 10_000),
    _with("a type that is a list", STF_GEN, "msg_type: expected a string", msg_type=["stf_gen"]),
    _with("a type that is null", STF_GEN, "msg_type: expected a string", msg_type=None),
    _with("a newer schema", STF_GEN, "upgrade it", NewerSchemaError, schema="swf/2"),
    _with("a much newer schema", STF_GEN, "upgrade it", NewerSchemaError, schema="swf/9999", unheard_of={}),
    _with("schema zero", STF_GEN, "schema: expected 'swf/1'", schema="swf/0"),
    _with("another family of schemas", STF_GEN, "schema: expected 'swf/1'", schema="cloudevents/1"),
    _with("a schema that is a number", STF_GEN, "schema: expected 'swf/1'", schema=1),
    _with("another namespace", STF_GEN, "is for namespace 'prod'", ForeignNamespaceError, namespace="prod"),
    _with("a namespace in capitals", STF_GEN, "'TESTBED'", ForeignNamespaceError, namespace="TESTBED"),
    _with("foreign and newer", STF_GEN, "'prod'", ForeignNamespaceError, namespace="prod", schema="swf/7"),
    _with("foreign, and no type of ours", STF_GEN, "'prod'", ForeignNamespaceError, namespace="prod", msg_type="x"),
    _with("an empty namespace", STF_GEN, "namespace: expected", namespace=""),
    _with("a namespace with a slash", STF_GEN, "namespace: expected", namespace="prod/x"),
    _with("a namespace that is null", STF_GEN, "namespace: expected", namespace=None),
    _with("a namespace of 65 letters", STF_GEN, "namespace: expected", namespace="n" * 65),
    _with("a sender with a line end", STF_GEN, "sender: expected an agent name", sender="ann\nadmin"),
    _with("an empty sender", STF_GEN, "sender: expected an agent name", sender=""),
    _with("a sender that is a number", STF_GEN, "sender: expected an agent name", sender=7),
    _with("a sender of 101 letters", STF_GEN, "sender: expected an agent name", sender="a" * 101),
    _with("a negative sequence number", STF_GEN, "sender_seq: expected a whole number", sender_seq=-1),
    _with("a huge sequence number", STF_GEN, "sender_seq: expected a whole number", sender_seq=2**63),
    _with("a sequence number that is true", STF_GEN, "sender_seq: expected a whole number", sender_seq=True),
    _with("a sequence number that is a string", STF_GEN, "sender_seq: expected a whole number", sender_seq="1"),
    _with("a sequence number with a fraction", STF_GEN, "sender_seq: expected a whole number", sender_seq=1.5),
    _with("no UUID", STF_GEN, "message_id: expected a UUID", message_id="1"),
    _with("a UUID that is a number", STF_GEN, "message_id: expected a UUID", message_id=1),
    _with("the year 2200", STF_GEN, "created_at: expected an instant", created_at="2200-01-01T00:00:00Z"),
    _with("the year 1938", STF_GEN, "created_at: expected an instant", created_at="1938-01-01T00:00:00Z"),
    _with("two days ahead", STF_GEN, "created_at: expected an instant", created_at="2026-01-03T00:00:00Z"),
    _with("a naive time", STF_GEN, "created_at: expected an RFC 3339", created_at="2026-01-01T00:00:00"),
    _with("a Unix time", STF_GEN, "created_at: expected an RFC 3339", created_at=1767225600),
    _with("a date", STF_GEN, "created_at: expected an RFC 3339", created_at="2026-01-01"),
    _with("the 30th of February", STF_GEN, "created_at: expected an RFC 3339", created_at="2026-02-30T00:00:00Z"),
    _with("before the calendar", STF_GEN, "created_at: expected", created_at="0001-01-01T00:00:00+23:59"),
    _with("after the calendar", STF_GEN, "created_at: expected", created_at="9999-12-31T23:59:59-23:59"),
    # Run numbers
    _without("run_id", STF_GEN, "run_id: Field required"),
    *(
        _with(f"run_id {value!r}", STF_GEN, "run_id: ", run_id=value)
        for value in (0, -1, "0", "-5", "", "1.0", 1.0, True, None, [], {}, "١٢٣", "²", "1e3", " 7", "7\n", 2**31)
    ),
    _with("a run of 4,000 digits", STF_GEN, "run_id: ", run_id="1" * 4000),
    _with("the run's own name", STF_GEN, "run_id: ", run_id="swf.100010.run"),
    # Bodies
    _with("an unknown field", STF_GEN, "colour: Extra inputs are not permitted", colour="red"),
    _with("a field of Python's", STF_GEN, "__class__: Extra inputs are not permitted", __class__="os.system"),
    _without("filename", STF_GEN, "filename: Field required"),
    _with("a path", STF_GEN, "filename: Value error, '../../etc/passwd' is not", filename="../../etc/passwd"),
    _with("an absolute path", STF_GEN, "filename: Value error, '/etc/passwd'", filename="/etc/passwd"),
    _with("a hidden file", STF_GEN, "filename: Value error, '.ssh'", filename=".ssh"),
    _with("a Windows path", STF_GEN, "is not a plain file name", filename="C:\\windows"),
    _with("a file name of 1,000 letters", STF_GEN, "is not a plain file name", filename="s" * 1000),
    _with("a file name with a line end", STF_GEN, "is not a plain file name", filename="swf.100010.000001.stf\n"),
    _with("a shell's file name", STF_GEN, "is not a plain file name", filename="$(rm -rf).stf"),
    _with("a remote file", STF_GEN, "is not a plain file name", filename="root://host//a.stf"),
    _with("an empty file name", STF_GEN, "is not a plain file name", filename=""),
    _with("another run's file", STF_GEN, "is not STF 1 of run 100010", filename="swf.100011.000001.stf"),
    _with("another STF's file", STF_GEN, "is not STF 1 of run 100010", filename="swf.100010.000002.stf"),
    _with("a file of no STF", STF_GEN, "is not STF 1 of run 100010", filename="dijet_q2_100.root"),
    _with("STF number 0", STF_GEN, "sequence: ", sequence=0),
    _with("a negative STF number", STF_GEN, "sequence: ", sequence=-1),
    _with("a huge STF number", STF_GEN, "sequence: ", sequence=10**18),
    _with("an STF number that is a string", STF_GEN, "sequence: Input should be a valid integer", sequence="1"),
    _with("an STF number that is true", STF_GEN, "sequence: Input should be a valid integer", sequence=True),
    _with("an STF number with a fraction", STF_GEN, "sequence: ", sequence=1.0),
    _with("a negative size", STF_GEN, "size_bytes: ", size_bytes=-1),
    _with("a huge size", STF_GEN, "size_bytes: ", size_bytes=2**64),
    _with("no TFs", STF_GEN, "tf_count: ", tf_count=0),
    _with("a million TFs", STF_GEN, "tf_count: ", tf_count=1_000_000),
    _with("a checksum in capitals", STF_GEN, "checksum: String should match", checksum="0A1B2C3D"),
    _with("a checksum that is too short", STF_GEN, "checksum: String should match", checksum="abc"),
    _with("a checksum with a prefix", STF_GEN, "checksum: String should match", checksum="ad:0a1b2c3d"),
    _with("a checksum with a line end", STF_GEN, "checksum: String should match", checksum="0a1b2c3d\n"),
    _with("an sha256 that is too long", STF_GEN, "sha256: String should match", sha256="ab" * 33),
    _with("yes for true", STF_GEN, "has_content: Input should be a valid boolean", has_content="yes"),
    _with("a negative tick", STF_GEN, "simulation_tick: ", simulation_tick=-1.0),
    _with("a state of 10,000 letters", STF_GEN, "state: String should have at most", state="s" * 10_000),
    _with("an execution of 10,000 letters", STF_GEN, "execution_id: String should", execution_id="e" * 10_000),
    _with("a TF range that ends before it starts", TF_FILE, "does not hold 100 TFs", tf_first=99, tf_last=0),
    _with("a TF count that disagrees", TF_FILE, "does not hold 99 TFs", tf_count=99),
    _with("a negative TF", TF_FILE, "tf_first: ", tf_first=-1),
    _with("sample 0", TF_FILE, "sample_index: ", sample_index=0),
    _with("sample 2 of 1", TF_FILE, "is beyond sample_count 1", sample_index=2),
    _with("a slice that ends before it starts", SLICE, "does not hold 7 TFs", start=6, end=0),
    _with("a slice whose count disagrees", SLICE, "does not hold 8 TFs", tf_count=8),
    _with("a request that is no UUID", SLICE, "req_id: ", req_id="me"),
    _with("a request that is a number", SLICE, "req_id: ", req_id=12),
    _with("attempt 0", SLICE, "attempt: ", attempt=0),
    _with("a huge attempt", RESULT, "attempt: ", attempt=2**63),
    _with("a result that is neither", RESULT, "result: Input should be 'done' or 'failed'", result="maybe"),
    _with("an outcome of 10,000 letters", RESULT, "outcome: ", outcome="o" * 10_000),
    _with("an output with a path", RESULT, "output_name: ", output_name="../out.root"),
    _with("an output without checksums", RESULT, "without its checksums", output_name="out.root"),
    _with("a start in 2200", RESULT, "started_at: ", started_at="2200-01-01T00:00:00Z"),
    _with("a start in 1938", RESULT, "started_at: ", started_at="1938-01-01T00:00:00Z"),
    _with("a naive start", RESULT, "started_at: ", started_at="2026-01-01T00:00:00"),
    _with("a start that is a number", RESULT, "started_at: ", started_at=1767225600),
    _with("a negative duration", RESULT, "seconds: ", seconds=-0.5),
    _with("a huge exit code", RESULT, "exit_code: ", exit_code=2**63),
    _with("a tail of a hundred thousand letters", RESULT, "stderr_tail: ", stderr_tail="x" * 100_000),
    _with("a summary that is a list", RESULT, "summary: Input should be a valid dictionary", summary=[]),
    _with("parameters that are a string", IMMINENT, "workflow_params: ", workflow_params="{}"),
    _with("a run of a billion STFs", END, "total_stf_files: ", total_stf_files=10**9),
    _with("a negative number of STFs", END, "total_stf_files: ", total_stf_files=-1),
    _with("STFs that are NaN in a string", END, "total_stf_files: ", total_stf_files="NaN"),
)
