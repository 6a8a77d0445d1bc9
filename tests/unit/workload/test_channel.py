from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.workload.channel import LONGEST_LINE, Channel


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), theirs


def test_messages_come_whole_however_they_are_cut(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    assert channel.receive() == []
    came = []
    for byte in b'["a",1]\n["b"]\n':
        other.send(bytes([byte]))
        came += channel.receive()
    assert came == [["a", 1], ["b"]]
    assert channel.problem == ""


def test_messages_before_a_problem_are_not_lost(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.send(b'["a"]\nrubbish\n["b"]\n')
    assert channel.receive() == [["a"]]
    assert "rubbish" in channel.problem
    assert channel.receive() == []


def test_a_closed_end_is_told(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.send(b'["a"]\n')
    other.close()
    assert channel.receive() == [["a"]]
    channel.receive()
    assert channel.problem == "the channel was closed"
    assert not channel.send(["x"])


def test_a_line_without_end_is_not_collected(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    for _ in range(LONGEST_LINE // 50_000 + 1):
        other.send(b"x" * 50_000)
        assert channel.receive() == []
    assert str(LONGEST_LINE) in channel.problem


def test_a_message_that_finds_no_room_is_not_sent(ends: tuple[Channel, socket.socket]) -> None:
    assert not ends[0].send(["x" * 10_000_000])


def test_a_descriptor_goes_with_a_message(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    reader, writer = os.pipe()
    try:
        assert channel.send(["take"], writer)
        _data, fds, _flags, _address = socket.recv_fds(other, 100, 1)
        os.write(fds[0], b"!")
        os.close(fds[0])
        assert os.read(reader, 1) == b"!"
    finally:
        os.close(reader)
        os.close(writer)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours)
        theirs.sendall(data + b"\n")
        for message in channel.receive():
            assert isinstance(message[0], str)
