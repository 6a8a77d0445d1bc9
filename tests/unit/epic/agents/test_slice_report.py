"""What a worker says of an attempt is accepted by every reader."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from swf.core.codec import MAX_BYTES, Decoder, encode
from swf.core.errors import StorageError
from swf.core.ids import CountingIds
from swf.core.messages import Envelope, Vocabulary
from swf.core.payload import Outcome, PayloadResult
from swf.core.times import ManualClock
from swf.epic.agents.slice_report import slice_result
from swf.epic.messages import Slice, SliceResult
from swf.messaging.turn import Identity, Turn
from swf.storage.checksums import FileFacts

CLOCK = ManualClock()
REQUEST = Slice(
    run_id=100010,
    slice_id=0,
    tf_filename="swf.100010.000001_slice_000.tf",
    filename="swf.100010.000001.stf",
    start=0,
    end=6,
    tf_count=7,
    req_id=UUID(int=7),
    attempt=2,
)


def said(result: PayloadResult, output: Future[FileFacts] | None = None) -> SliceResult:
    """What is said, as a reader gets it."""
    turn = Turn(Identity(name="w", role="worker", namespace="testbed"), CLOCK.now(), CountingIds(), 1)
    body = slice_result(turn, REQUEST, result, output, "host")
    envelope = Envelope(message_id=UUID(int=8), namespace="testbed", sender="w", sender_seq=1, created_at=CLOCK.now())
    text = encode(envelope, body)
    assert len(text) <= MAX_BYTES
    read = Decoder(Vocabulary([SliceResult]), "testbed").decode(text, CLOCK.now()).body
    assert isinstance(read, SliceResult)
    return read


JSON = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(
    detail=st.text(st.characters()),
    tail=st.text(st.characters()),
    outcome=st.sampled_from(Outcome),
    seconds=st.floats(0, 1e6),
    exit_code=st.none() | st.integers(-64, 255),
    summary=st.dictionaries(st.text(st.characters()), JSON, max_size=3),
)
def test_whatever_a_payload_said_can_be_read(
    detail: str, tail: str, outcome: Outcome, seconds: float, exit_code: int | None, summary: dict[str, object]
) -> None:
    result = PayloadResult(
        key="k",
        outcome=outcome,
        exit_code=exit_code,
        detail=detail,
        stderr_tail=tail,
        seconds=seconds,
        summary=summary,
    )
    read = said(result)
    assert (read.result == "done") == (read.outcome == "ok")
    if read.outcome == outcome.value and read.detail == detail:
        assert read.summary == summary


def test_the_longest_of_everything_can_be_sent() -> None:
    result = PayloadResult(
        key="k", outcome=Outcome.CRASHED, detail="ü" * 10_000, stderr_tail="\x1b" * 10_000, summary={"a": "x" * 880_000}
    )
    read = said(result)
    assert (len(read.detail), len(read.stderr_tail), len(str(read.summary["a"]))) == (4000, 4000, 880_000)


def test_a_summary_that_is_too_large_is_no_result() -> None:
    read = said(PayloadResult(key="k", outcome=Outcome.OK, summary={"a": "x" * 900_000}))
    assert (read.result, read.outcome, read.summary) == ("failed", "no_output", {})
    assert read.detail == "its summary has 900022 bytes; at most 900000 can be sent"


def test_an_output_is_told_with_its_checksums() -> None:
    output: Future[FileFacts] = Future()
    output.set_result(FileFacts(size_bytes=12, adler32="0a1b2c3d", sha256="ab" * 32))
    read = said(PayloadResult(key="k", outcome=Outcome.OK, output=Path("/products/out.root")), output)
    assert (read.output_name, read.output_size, read.output_adler32) == ("out.root", 12, "0a1b2c3d")


def test_an_output_that_cannot_be_read_is_none() -> None:
    words = "the disk does not answer"
    output: Future[FileFacts] = Future()
    output.set_exception(StorageError(words))
    read = said(PayloadResult(key="k", outcome=Outcome.OK, output=Path("/products/out.root")), output)
    assert (read.result, read.outcome, read.detail, read.output_name) == ("failed", "no_output", words, None)
