"""From bytes to frames, however they are cut, as stompman's own parser reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from stompman import ConnectedFrame, ErrorFrame, FrameParser, HeartbeatFrame, MessageFrame, ReceiptFrame, dump_frame

from swf.messaging.stomp.reader import LARGEST_HEAD, FrameReader, NotStompError

ROOM = 10_000

words = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=20)
names = words.filter(lambda name: name != "content-length")


@st.composite
def frames(draw: st.DrawFn) -> tuple[object, bytes]:
    """A frame and the bytes of it."""
    headers = draw(st.dictionaries(names, words, max_size=5))
    body = draw(st.binary(max_size=200))
    if draw(st.booleans()):
        frame: object = MessageFrame(headers={**headers, "content-length": str(len(body))}, body=body)  # type: ignore[typeddict-unknown-key]
    elif draw(st.booleans()):
        frame = ErrorFrame(headers=headers, body=body.replace(b"\0", b""))  # type: ignore[arg-type]
    else:
        frame = ReceiptFrame(headers=headers)  # type: ignore[arg-type]
    return frame, dump_frame(frame)  # type: ignore[arg-type]


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The bytes in chunks."""
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=10)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@given(st.data())
def test_frames_come_whole_however_their_bytes_are_cut(data: st.DataObject) -> None:
    made = data.draw(st.lists(frames(), max_size=5))
    beats = data.draw(st.lists(st.sampled_from([b"", b"\n", b"\r\n\n"]), min_size=len(made), max_size=len(made)))
    stream = b"".join(beat + raw for beat, (_, raw) in zip(beats, made, strict=True))
    reader, got = FrameReader(ROOM), []
    for chunk in data.draw(cut(stream)):
        got += reader.feed(chunk)
    assert got == [frame for frame, _ in made]


@given(st.lists(frames(), max_size=4))
def test_it_reads_what_stompman_reads(made: list[tuple[object, bytes]]) -> None:
    stream = b"".join(raw for _, raw in made)
    theirs = [f for f in FrameParser().parse_frames_from_chunk(stream) if not isinstance(f, HeartbeatFrame)]
    assert FrameReader(ROOM).feed(stream) == theirs


@given(st.data(), st.binary(max_size=400))
def test_any_bytes_are_frames_or_are_refused(data: st.DataObject, stream: bytes) -> None:
    reader = FrameReader(ROOM)
    try:
        for chunk in data.draw(cut(stream)):
            reader.feed(chunk)
    except NotStompError:
        pass


def test_lines_may_end_as_on_windows_and_the_first_of_repeated_headers_counts() -> None:
    raw = b"CONNECTED\r\nversion:1.2\r\nversion:1.0\r\nserver:A\\cB\r\n\r\n\0\r\n"
    assert FrameReader(ROOM).feed(raw) == [ConnectedFrame(headers={"version": "1.2", "server": "A:B"})]


def test_a_colon_that_was_not_escaped_belongs_to_the_value() -> None:
    (frame,) = FrameReader(ROOM).feed(b"CONNECTED\nversion:1.2\nsession:ID:host-1:2\n\n\0")
    assert frame.headers["session"] == "ID:host-1:2"  # type: ignore[typeddict-item]


def test_of_a_body_that_is_too_large_the_beginning_is_kept_and_the_rest_passed_over() -> None:
    huge = b"MESSAGE\ncontent-length:50000\n\n" + b"x" * 50_000 + b"\0"
    endless = b"MESSAGE\n\n" + b"y" * 50_000 + b"\0"
    after = b"RECEIPT\nreceipt-id:1\n\n\0"
    reader, got = FrameReader(1000), []
    stream = huge + endless + after
    for start in range(0, len(stream), 777):
        got += reader.feed(stream[start : start + 777])
    assert got == [
        MessageFrame(headers={"content-length": "50000"}, body=b"x" * 1000),  # type: ignore[typeddict-item]
        MessageFrame(headers={}, body=b"y" * 1000),  # type: ignore[typeddict-item]
        ReceiptFrame(headers={"receipt-id": "1"}),
    ]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x00",
        b"\0\0\x01\x4e\x01ActiveMQ",
        b"HELLO\n\n\0",
        b"MESSAGES\n\n\0",
        b"message\n\n\0",
        b"SEND\ndestination:/queue/a\n\n\0",
        b"MESSAGE\ncontent-length:3\n\nabcd\0",
        b"MESSAGE\ncontent-length:-1\n\nabcd\0",
        b"MESSAGE\ncontent-length:1e3\n\nabcd\0",
        b"MESSAGE\ncontent-length:\n\nabcd\0",
        b"MESSAGE\n" + b"h:v\n" * LARGEST_HEAD,
    ],
)
def test_what_is_no_stomp_is_refused(stream: bytes) -> None:
    with pytest.raises(NotStompError):
        FrameReader(ROOM).feed(stream)
