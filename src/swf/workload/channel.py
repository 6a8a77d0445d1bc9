"""One line of JSON after the other over a socket, with a bound on each line. What is not that ends the channel."""

from __future__ import annotations

import json
import socket
from typing import Any, Final

LONGEST_LINE: Final = 1_000_000
"""A line with more bytes than this is not read."""

_CHUNK: Final = 65_536
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


class Channel:
    """The end of a socket pair in the process that starts payloads. Never blocks.

    `problem` says in words why nothing more can be read; it is empty while the channel is good.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.socket = end
        self.problem = ""
        self._pending = b""

    def send(self, message: list[object], pass_fd: int | None = None) -> bool:
        """Send a message, and a file descriptor with it; whether it could be sent whole."""
        line = _encode(message).encode() + b"\n"
        try:
            if pass_fd is None:
                return self.socket.send(line) == len(line)
            return socket.send_fds(self.socket, [line], [pass_fd]) == len(line)
        except OSError:
            return False

    def receive(self) -> list[list[Any]]:
        """The messages that came since the last call. After a problem, those that came whole before it."""
        messages: list[list[Any]] = []
        while not self.problem:
            try:
                chunk = self.socket.recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError as error:
                self.problem = f"the channel failed: {error.strerror}"
                break
            if not chunk:
                self.problem = "the channel was closed"
                break
            *lines, self._pending = (self._pending + chunk).split(b"\n")
            for line in lines:
                message = self._parsed(line)
                if message is None:
                    return messages
                messages.append(message)
            if len(self._pending) > LONGEST_LINE:
                self.problem = f"a line of more than {LONGEST_LINE} bytes came over the channel"
            if len(chunk) < _CHUNK:
                break
        return messages

    def close(self) -> None:
        """Close this end."""
        self.socket.close()

    def _parsed(self, line: bytes) -> list[Any] | None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, list) and message and isinstance(message[0], str):
            return message
        self.problem = f"something else than a message came over the channel: {line[:60]!r}"
        return None
