"""From the bytes of a connection to frames.

Source: STOMP 1.2, https://stomp.github.io/stomp-specification-1.2.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from stompman import ConnectedFrame, ErrorFrame, MessageFrame, ReceiptFrame

ServerFrame = ConnectedFrame | MessageFrame | ReceiptFrame | ErrorFrame

LARGEST_HEAD: Final = 64 * 1024
"""A command and headers of more bytes than this are no STOMP."""

_COMMANDS: Final[dict[str, Callable[[dict[str, Any], bytes], ServerFrame]]] = {
    "CONNECTED": lambda headers, body: ConnectedFrame(headers=headers),  # type: ignore[arg-type]
    "MESSAGE": lambda headers, body: MessageFrame(headers=headers, body=body),  # type: ignore[arg-type]
    "RECEIPT": lambda headers, body: ReceiptFrame(headers=headers),  # type: ignore[arg-type]
    "ERROR": lambda headers, body: ErrorFrame(headers=headers, body=body),  # type: ignore[arg-type]
}
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "c": ":", "\\": "\\"}


class NotStompError(Exception):
    """What came is no STOMP."""


@dataclass(slots=True)
class _Unfinished:
    """A frame whose body is on its way."""

    command: str
    headers: dict[str, str]
    length: int | None
    """Bytes of the body; None where it ends at the first NUL."""
    body: bytearray = field(default_factory=bytearray)
    seen: int = 0


class FrameReader:
    """Takes chunks as they come and gives the frames that they complete.

    Of a body with more than `largest_body` bytes only the beginning is kept: enough to see that it is too large.
    """

    def __init__(self, largest_body: int) -> None:
        self._largest_body = largest_body
        self._buffer = bytearray()
        self._unfinished: _Unfinished | None = None

    def feed(self, chunk: bytes) -> list[ServerFrame]:
        """The frames that are complete with this chunk.

        Raises:
            NotStompError: this is no STOMP, or not what a server says.
        """
        self._buffer += chunk
        frames: list[ServerFrame] = []
        while self._buffer:
            if self._unfinished is None:
                self._unfinished = self._head()
            if self._unfinished is None or not self._body(self._unfinished):
                break
            done, self._unfinished = self._unfinished, None
            frames.append(_COMMANDS[done.command](done.headers, bytes(done.body)))
        return frames

    def _head(self) -> _Unfinished | None:
        """Command and headers, once they are all there."""
        start = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))  # heartbeats
        if start:
            del self._buffer[:start]
        end = _END_OF_HEAD.search(self._buffer)
        if end is None or end.start() > LARGEST_HEAD:
            if len(self._buffer) > LARGEST_HEAD:
                raise NotStompError(f"headers of more than {LARGEST_HEAD} bytes")
            self._check_command(self._buffer)
            return None
        head = bytes(self._buffer[: end.start()])
        self._check_command(head + b"\n")
        del self._buffer[: end.end()]
        command, *lines = head.decode("utf-8", errors="replace").split("\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.removesuffix("\r").partition(":")
            headers.setdefault(_unescaped(name), _unescaped(value))  # of a repeated header the first counts
        return _Unfinished(command.removesuffix("\r"), headers, _length(headers))

    @staticmethod
    def _check_command(head: bytes | bytearray) -> None:
        """Say early that something is no STOMP, before a whole head of it is collected."""
        line, newline, _ = bytes(head[:32]).partition(b"\n")
        text = line.removesuffix(b"\r").decode("ascii", errors="replace")
        if text in _COMMANDS if newline else any(command.startswith(text) for command in _COMMANDS):
            return
        raise NotStompError(f"it begins with {bytes(head[:32])!r}")

    def _body(self, frame: _Unfinished) -> bool:
        """Move what has come of the body to its frame. Returns whether it is complete."""
        if frame.length is not None:
            self._move(frame, min(frame.length - frame.seen, len(self._buffer)))
            if frame.seen < frame.length or not self._buffer:
                return False
            if self._buffer[0] != 0:
                raise NotStompError(f"a frame of {frame.length} bytes does not end there")
        else:
            end = self._buffer.find(0)
            self._move(frame, end if end >= 0 else len(self._buffer))
            if end < 0:
                return False
        del self._buffer[:1]
        return True

    def _move(self, frame: _Unfinished, size: int) -> None:
        room = self._largest_body - len(frame.body)
        frame.body += self._buffer[: min(size, room)]
        frame.seen += size
        del self._buffer[:size]


def _length(headers: dict[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotStompError(f"content-length:{text[:40]}")
    return int(text)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), text) if "\\" in text else text
