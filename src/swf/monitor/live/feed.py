"""The feed of live events: one cursor over the event log, and any number of readers behind it.

A reader has no buffer of its own: it has a place in the rows that are kept for all of them. One that was away goes
through the store until it has come to those. So it misses none and gets none twice, whatever its place was.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from swf.core.errors import QuestionError, ServiceError
from swf.monitor.figures import Figures
from swf.monitor.live.frames import frame_of, place_at
from swf.monitor.live.log_thread import LogThread
from swf.monitor.live.recent import MOST_ROWS, Piece, Recent
from swf.store import events
from swf.store.events import EventFilter
from swf.store.wakeups import WakeUps

HEARTBEAT_S: Final = 10.0
_ROWS: Final = 500
_HISTORY_ROWS: Final = 200
_WINDOW: Final = 10_000
"""Rows that are looked at at a time where no index finds those that are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """What readers may take."""

    readers: int = 500
    behind: int = 4000
    """So many rows a reader may be behind the newest one, once it has come up to it: one that is slower is dropped."""
    stall_s: float = 30.0
    """So long a reader may take nothing of what it is sent."""
    heartbeat_s: float = HEARTBEAT_S


class Reader:
    """One reader of the feed.

    Args:
        feed: whose it is.
        wanted: the rows that it wants, and may see.
        seq: it has everything up to this number.
    """

    def __init__(self, feed: EventFeed, wanted: EventFilter, seq: int) -> None:
        self._feed = feed
        self._wanted = wanted
        self._told = self.seq = seq
        self.is_live = False
        """Whether it has come up to the rows that are kept."""
        self.news = asyncio.Event()
        self.over = asyncio.Event()
        """It has to go; it may come again, and go on where it was."""
        self.too_slow = False

    async def next(self) -> Piece:
        """What it is sent next; a heartbeat where nothing happens. Its place moves when the piece was taken."""
        while True:
            self.news.clear()
            piece = await self._feed.piece(self.seq, self._wanted)
            self.is_live = self.is_live or self.seq >= self._feed.floor
            if piece.data:
                return piece
            self.seq = piece.seq
            if self.seq >= self._feed.head and not self._feed.ended:
                try:
                    async with asyncio.timeout(self._feed.limits.heartbeat_s):
                        await self.news.wait()
                except TimeoutError:
                    return Piece(data=self._heartbeat(), events=0, seq=self.seq)
            if self._feed.ended:
                return Piece(data=b"", events=0, seq=self.seq)

    def took(self, piece: Piece) -> None:
        """It has taken a piece."""
        self.seq = piece.seq
        if piece.events:
            self._told = piece.seq
            self._feed.count_sent(piece.events)

    def _heartbeat(self) -> bytes:
        """A line that is skipped, and where rows have passed that it does not want, the number that it has come to."""
        place = place_at(self.seq) if self.seq > self._told else b"\n"
        self._told = self.seq
        return b":\n" + place


class EventFeed:
    """What all readers of live events of a process share. It reads the log while there are readers, on their event
    loop, until it is ended.

    Args:
        figures: where readers and events are counted.
        limits: what readers may take.
    """

    def __init__(self, figures: Figures, limits: FeedLimits = FeedLimits()) -> None:
        self.limits = limits
        self.ended = False
        self._figures = figures
        self._thread = LogThread()
        self._readers: set[Reader] = set()
        self._recent = Recent(0)
        self._follow: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    @property
    def floor(self) -> int:
        """The rows behind this number are kept."""
        return self._recent.floor

    @property
    def head(self) -> int:
        """The number of the newest row."""
        return self._recent.head

    async def join(self, wanted: EventFilter, after: int | None) -> Reader:
        """A new reader.

        Args:
            wanted: the rows that it wants, and may see.
            after: it has everything up to this number; None: it wants what comes from now on.

        Raises:
            ServiceError: there are too many readers.
            QuestionError: no row has that number yet.
        """
        if self.ended or len(self._readers) >= self.limits.readers:
            raise ServiceError("there are too many readers of live events, or the monitor ends: come again later")
        reader = Reader(self, wanted, after or 0)
        self._readers.add(reader)
        self._figures.stream_clients.set(len(self._readers))
        try:
            if self._follow is None:
                self._follow = asyncio.create_task(self._follow_log())
                self._follow.add_done_callback(self._stopped)
            self._wake.set()
            if after is None or after > self.head:
                last = await self._thread.ask(events.latest)
                if after is not None and after > last:
                    raise QuestionError("after", f"expected the number of an event: the log ends at {last}")
                reader.seq = last if after is None else after
        except BaseException:
            self.leave(reader)
            raise
        return reader

    def leave(self, reader: Reader) -> None:
        """A reader is gone. While there are none, the log is not read."""
        self._readers.discard(reader)
        self._figures.stream_clients.set(len(self._readers))

    def drop(self, reader: Reader) -> None:
        """A reader is too slow."""
        if not reader.too_slow:
            self._figures.streams_dropped.inc()
            reader.too_slow = True
            reader.over.set()

    async def end(self) -> None:
        """Let every reader go, in good order; there are no more after this."""
        self.ended = True
        for reader in self._readers:
            reader.news.set()
        if self._follow is not None:
            self._follow.cancel()
            await asyncio.wait({self._follow})
        await self._thread.end()

    def count_sent(self, number: int) -> None:
        """So many events were taken by a reader."""
        self._figures.stream_events.inc(number)

    async def piece(self, seq: int, wanted: EventFilter) -> Piece:
        """What a reader that has come to `seq` is sent next; without data where it wants nothing of what is there."""
        if self.ended:
            return Piece(data=b"", events=0, seq=seq)
        if seq >= self.floor:
            return self._recent.after(seq, wanted)
        return await self._thread.ask(_history, seq, self.head, wanted)

    async def _follow_log(self) -> None:
        """Read the log, for as long as somebody wants it."""
        loop = asyncio.get_running_loop()
        wake_ups = WakeUps(lambda: loop.call_soon_threadsafe(self._wake.set))
        wake_ups.__enter__()
        try:
            self._recent = Recent(await self._thread.ask(events.latest))
            self._tell()
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._catch_up()
        finally:
            # Its thread has to end before the loop does; it takes a moment.
            await asyncio.shield(loop.run_in_executor(None, wake_ups.__exit__, None, None, None))

    async def _catch_up(self) -> None:
        """Read what is new."""
        if self._readers and await self._thread.ask(events.latest) - self.head > MOST_ROWS:
            # Nobody was there for long: who comes with an older place goes through the store.
            self._recent = Recent(await self._thread.ask(events.latest))
            self._tell()
        while self._readers and (rows := await self._thread.ask(events.after, self.head, _ROWS)):
            self._recent.add(rows)
            self._tell()

    def _tell(self) -> None:
        for reader in self._readers:
            reader.news.set()
            if reader.is_live and self._recent.behind(reader.seq) > self.limits.behind:
                self.drop(reader)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """The log is not read any more: nobody wants it, or something is wrong. Then readers may come again."""
        self._follow = None
        for reader in self._readers:
            reader.over.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "live events cannot be read", "exception": error})


def _history(seq: int, head: int, wanted: EventFilter) -> Piece:
    """The next rows from the store."""
    by_index = wanted.run_number is not None or wanted.execution_id is not None or wanted.subject is not None
    last = head if by_index else min(head, seq + _WINDOW)
    rows = events.between(seq, last, _HISTORY_ROWS, wanted)
    full = len(rows) == _HISTORY_ROWS
    came_to = rows[-1].seq if full else last
    assert came_to is not None
    return Piece(data=b"".join(map(frame_of, rows)), events=len(rows), seq=came_to)
