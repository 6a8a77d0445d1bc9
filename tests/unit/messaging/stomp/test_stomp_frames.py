"""Frames that are written: stompman's parser and ours read back what was put in."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from stompman import AckFrame, BeginFrame, CommitFrame, FrameParser, MessageFrame, SendFrame

from swf.messaging.bus import Wire
from swf.messaging.stomp import frames
from swf.messaging.stomp.names import Names
from swf.messaging.stomp.reader import FrameReader

words = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=20)
with_returns = st.text(alphabet=st.sampled_from("a:\\\n\rn"), min_size=1, max_size=10)
bodies = st.binary(max_size=100)


def read(data: bytes) -> list[object]:
    return list(FrameParser().parse_frames_from_chunk(data))


@given(st.dictionaries(words.filter(lambda name: name != "content-length"), words, max_size=6), bodies)
def test_stompman_reads_what_is_written(headers: dict[str, str], body: bytes) -> None:
    headers["content-length"] = str(len(body))
    assert read(frames.written("SEND", headers, body)) == [SendFrame(headers=headers, body=body)]  # type: ignore[arg-type]


@given(st.dictionaries(with_returns, with_returns, max_size=4), bodies)
def test_whatever_is_in_a_header_comes_back(headers: dict[str, str], body: bytes) -> None:
    headers["content-length"] = str(len(body))
    [frame] = FrameReader(1000).feed(frames.written("MESSAGE", headers, body))
    assert isinstance(frame, MessageFrame)
    assert (dict(frame.headers), frame.body) == (headers, body)


def wire(number: int) -> Wire:
    return Wire(
        message_id=UUID(int=number),
        namespace="ns",
        destination="/queue/work",
        msg_type="slice",
        run_number=7,
        body=f"été {number}",
        headers={"vo": "a:b", "persistent": "no"},
    )


def test_a_window_is_a_transaction_with_one_receipt() -> None:
    data, receipt = frames.window([wire(1), wire(2)], Names(), "t9")
    begin, first, second, commit = read(data)
    assert begin == BeginFrame(headers={"transaction": "t9"})
    assert commit == CommitFrame(headers={"transaction": "t9", "receipt": receipt})
    for number, frame in ((1, first), (2, second)):
        assert isinstance(frame, SendFrame)
        assert frame.body.decode() == f"été {number}"
        assert frame.headers == {
            "destination": "/queue/ns.work",
            "transaction": "t9",
            "content-type": "application/json",
            "content-length": str(len(frame.body)),
            "persistent": "true",
            "msg_type": "slice",
            "namespace": "ns",
            "message_id": str(UUID(int=number)),
            "run_id": "7",
            "vo": "a:b",
        }


def test_a_single_message_asks_for_its_receipt_itself() -> None:
    data, receipt = frames.window([wire(1)], Names(), "t9")
    [frame] = read(data)
    assert isinstance(frame, SendFrame)
    assert frame.headers["receipt"] == receipt  # type: ignore[typeddict-item]
    assert "transaction" not in frame.headers


def test_an_acknowledgement_names_the_delivery() -> None:
    assert read(frames.acknowledgement("ID:host-1:2")) == [AckFrame(headers={"id": "ID:host-1:2"})]
