"""A small STOMP client for tests: blocking, and written apart from the code that it helps to test."""

from __future__ import annotations

import json
import socket
from collections import deque
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Frame:
    """A frame as it came."""

    command: str
    headers: dict[str, str]
    body: bytes


class StompClient:
    """One connection. `receive` waits for the next message, other frames are taken where they are waited for."""

    def __init__(self, port: int, user: str, password: str, *, timeout_s: float = 10.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._file = self._socket.makefile("rb")
        self._messages: deque[Frame] = deque()
        self._numbers = count()
        self._statistics = ""
        try:
            self._write("CONNECT", {"accept-version": "1.2", "host": "test", "login": user, "passcode": password})
            frame = self._read()
            if frame.command != "CONNECTED":
                raise ConnectionError(frame.headers.get("message", frame.command))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cut the connection."""
        self._file.close()
        self._socket.close()

    def hang_up(self) -> None:
        """Cut the connection while another thread waits on it."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def send(self, destination: str, body: str | bytes, **headers: str) -> None:
        """Send, and wait for the receipt."""
        data = body.encode() if isinstance(body, str) else body
        self._confirmed("SEND", {"destination": destination, "content-length": str(len(data)), **headers}, data)

    def subscribe(self, destination: str, *, ack: str = "auto", **headers: str) -> None:
        """Subscribe, and wait for the receipt."""
        self._confirmed("SUBSCRIBE", {"id": destination, "destination": destination, "ack": ack, **headers})

    def receive(self) -> Frame:
        """The next message.

        Raises:
            TimeoutError: none came in time.
        """
        while not self._messages:
            self._keep(self._read())
        return self._messages.popleft()

    def ack(self, message: Frame) -> None:
        """Acknowledge, and wait for the receipt."""
        self._confirmed("ACK", {"id": message.headers["ack"]})

    def nack(self, message: Frame) -> None:
        """Refuse, and wait for the receipt."""
        self._confirmed("NACK", {"id": message.headers["ack"]})

    def statistics(self, queue: str) -> dict[str, int]:
        """The broker's counts of a queue; none where there is no such queue."""
        return self._ask(f"/queue/ActiveMQ.Statistics.Destination.{queue.removeprefix('/queue/')}")

    def _ask(self, address: str) -> dict[str, int]:
        if not self._statistics:
            self._statistics = "/temp-queue/statistics"
            self.subscribe(self._statistics, transformation="jms-map-json")
        # Behind the statistics a marker, as the broker says nothing about a queue that it does not know.
        self.send(address, "", **{"reply-to": self._statistics})
        self.send(self._statistics, "", marker="1")
        counts: dict[str, int] = {}
        while "marker" not in (frame := self.receive()).headers:
            counts = _counts(json.loads(frame.body))
        return counts

    def _confirmed(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        receipt = f"r{next(self._numbers)}"
        self._write(command, {**headers, "receipt": receipt}, body)
        while True:
            frame = self._read()
            if frame.command == "RECEIPT" and frame.headers["receipt-id"] == receipt:
                return
            self._keep(frame)

    def _keep(self, frame: Frame) -> None:
        if frame.command == "ERROR":
            raise ConnectionError(frame.headers.get("message", "ERROR"))
        if frame.command == "MESSAGE":
            self._messages.append(frame)

    def _write(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        escaped = (f"{k}:{v if command == 'CONNECT' else _escape(v)}\n" for k, v in headers.items())
        self._socket.sendall(f"{command}\n{''.join(escaped)}\n".encode() + body + b"\0")

    def _read(self) -> Frame:
        while (line := self._line()) == "":
            pass
        headers: dict[str, str] = {}
        while header := self._line():
            name, _, value = header.partition(":")
            headers.setdefault(_unescape(name), _unescape(value))
        if "content-length" in headers:
            body = self._file.read(int(headers["content-length"]))
            self._file.read(1)
        else:
            body = b""
            while (byte := self._file.read(1)) not in {b"\0", b""}:
                body += byte
        return Frame(line, headers, body)

    def _line(self) -> str:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the broker closed the connection")
        return line.decode().rstrip("\r\n")


def _counts(fields: Any) -> dict[str, int]:
    """The numbers of a map message, which XStream writes as `{"map": {"entry": [{"string": [..], "long": ..}]}}`."""
    counts: dict[str, int] = {}
    for entry in fields["map"]["entry"]:
        name, *_ = entry["string"] if isinstance(entry["string"], list) else [entry["string"]]
        for kind in ("long", "int"):
            if kind in entry:
                counts[name] = int(entry[kind])
    return counts


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace(":", "\\c")


def _unescape(text: str) -> str:
    return text.replace("\\c", ":").replace("\\n", "\n").replace("\\\\", "\\")
