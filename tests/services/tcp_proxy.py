"""A TCP proxy that does to connections what networks do: cuts them, stalls, slices what passes, breaks off in the
middle."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType
from typing import Self

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class TcpProxy:
    """Listens on 127.0.0.1 and passes on to a port there. Each direction of a connection is a thread."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.slice_bytes = 65536
        """How many bytes are passed on at once."""
        self.cut_after: int | None = None
        """After how many more bytes from the server the connection that brings them is cut, in the midst of what it
        says; None: not."""
        self.delay_s = 0.0
        """How long what has come waits before it is passed on; what comes meanwhile waits behind it."""
        self.bytes_per_s: float | None = None
        """How fast each direction of each connection passes on; None: as fast as it can."""
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stall(self) -> None:
        """From now on nothing passes, and nobody is told: a half-open connection. New ones are accepted and stall."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let pass again."""
        self._flowing.set()

    def cut(self) -> int:
        """Reset all connections. Returns how many."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _reset(pair)
        return len(pairs)

    def close(self) -> None:
        """Stop listening, and cut all connections."""
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.flow()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self._lock:
                self._pairs.append(pair)
            self._start(self._pump, pair, client, server, False)
            self._start(self._pump, pair, server, client, True)

    def _pump(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket, answers: bool
    ) -> None:
        try:
            while chunk := source.recv(self._piece()):
                self._flowing.wait()
                self._dawdle(chunk)
                if answers and self.cut_after is not None:
                    chunk, self.cut_after = chunk[: self.cut_after], self.cut_after - len(chunk)
                    sink.sendall(chunk)
                    if self.cut_after <= 0:
                        self.cut_after = None
                        break
                else:
                    sink.sendall(chunk)
        except OSError:
            pass
        with self._lock:
            if pair in self._pairs:
                self._pairs.remove(pair)
        _reset(pair)

    def _piece(self) -> int:
        """How much to take at once: of a slow line not more than a tenth of a second's worth."""
        rate = self.bytes_per_s
        return self.slice_bytes if rate is None else max(1, min(self.slice_bytes, int(rate / 10)))

    def _dawdle(self, chunk: bytes) -> None:
        rate = self.bytes_per_s
        self._ended.wait(self.delay_s + (len(chunk) / rate if rate is not None else 0.0))

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


def _reset(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()
