"""The monitor as `testbed monitor serve` runs it, and readers of its live events."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.db import connections

from swf.core.times import SystemClock
from swf.monitor.figures import Figures
from swf.monitor.live.feed import EventFeed, FeedLimits
from swf.monitor.live.stream import EventStream
from swf.monitor.server import Server, address_of, listening

PATIENCE_S: Final = 60.0
STREAM: Final = "/api/v1/events/stream"
_FOREIGN: Final = ("SWF_",)


@contextmanager
def monitor_process(data_dir: Path, port: int = 0) -> Iterator[str]:
    """`testbed monitor serve` on a data directory; the value is its address. It has to end well."""
    command = ["monitor", "serve", "--port", str(port), "--json", "--end-with-stdin", "--data-dir", str(data_dir)]
    child = subprocess.Popen(
        [sys.executable, "-m", "swf.cli", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tempfile.gettempdir(),
        env={name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield str(json.loads(child.stdout.readline())["url"])
    finally:
        child.stdin.close()
        try:
            code = child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        child.stdout.close()
    assert code == 0


@dataclass(frozen=True, kw_only=True)
class StreamServer:
    """A server in this process that has live events and nothing else."""

    url: str
    figures: Figures
    feed: EventFeed

    def figure(self, name: str) -> float:
        """A figure of /metrics."""
        lines = self.figures.text().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@contextmanager
def stream_server(limits: FeedLimits, *, look_s: float = 60.0) -> Iterator[StreamServer]:
    """Live events on the store of this process, by a real server on a thread of its own."""
    from swf.monitor.asgi import with_life

    figures = Figures()
    feed = EventFeed(figures, limits)

    @contextmanager
    def running() -> Iterator[str]:
        with listening("127.0.0.1", 0) as listener:
            ready = threading.Event()
            app = with_life(lambda: _ending(feed), EventStream(feed, look_s=look_s))
            server = Server(app, proxies=(), log={"version": 1, "disable_existing_loggers": False}, ready=ready.set)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                assert ready.wait(PATIENCE_S)
                yield address_of(listener)
            finally:
                server.end()
                thread.join(PATIENCE_S)
                assert not thread.is_alive()

    with running() as url:
        yield StreamServer(url=url, figures=figures, feed=feed)


def _forget() -> None:
    """Another test has another database: the thread that looks accounts up is the same one."""
    connections.close_all()
    with contextlib.suppress(AttributeError):
        del connections["default"]


class _ending:  # noqa: N801 - read as a verb where it is used
    """Ends a feed when the server ends."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *error: object) -> None:
        await self._feed.end()
        await sync_to_async(_forget)()


@dataclass(frozen=True, kw_only=True)
class Received:
    """An event as a browser is given it."""

    seq: int
    type: str
    data: dict[str, Any]


class EventReader:
    """A reader of live events, as browsers read them.

    Args:
        url: the monitor's address.
        token: what it shows.
        query: filters.
        last: the header `Last-Event-ID`.
    """

    def __init__(self, url: str, token: str, query: str = "", last: int | None = None) -> None:
        where = urlsplit(url)
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {token}"} | ({} if last is None else {"Last-Event-ID": str(last)})
        self._connection.request("GET", f"{STREAM}?{query}" if query else STREAM, headers=headers)
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self.comments = 0
        self.last = last or 0

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer says of itself."""
        return dict(self._answer.headers.items())

    def text(self) -> str:
        """The whole answer, where it is no stream."""
        return self._answer.read().decode()

    def events(self) -> Iterator[Received]:
        """The events, until the server ends the stream. Source: HTML Living Standard, section 9.2.6."""
        fields: dict[str, str] = {}
        for raw in self._answer:
            line = raw.decode().rstrip("\n")
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            else:
                if "id" in fields:
                    self.last = int(fields["id"])
                if "data" in fields:
                    yield Received(seq=self.last, type=fields["event"], data=json.loads(fields["data"]))
                fields = {}

    def take(self, number: int) -> list[Received]:
        """The next events."""
        found: list[Received] = []
        for event in self.events():
            found.append(event)
            if len(found) == number:
                break
        return found

    def close(self) -> None:
        """Go away without a word."""
        self._connection.close()
        self._answer.close()

    def __enter__(self) -> EventReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def within_patience() -> float:
    """An instant of the monotonic clock: whoever waits longer has found a fault."""
    return SystemClock().monotonic() + PATIENCE_S
