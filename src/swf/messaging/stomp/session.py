"""One connection to the broker, from CONNECTED until it is lost. It lives on the bus's thread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from stompman import DisconnectFrame, ErrorFrame, MessageFrame, ReceiptFrame, dump_frame

from swf.core.errors import ServiceError
from swf.messaging.stomp import frames
from swf.messaging.stomp.reader import FrameReader, NotStompError, ServerFrame

_READ_BYTES = 256 * 1024
_SILENCE_FACTOR = 2.5
"""A broker that is silent for this many heartbeats is lost; the standard asks for a margin of error."""

OnMessage = Callable[["Session", str, MessageFrame], None]
"""Called with the identity of the subscription."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What both sides agreed on, in seconds; 0 is none."""

    send_s: float
    expect_s: float


class Session:
    """Writes requests and waits for their receipts, takes messages in, keeps alive.

    An acknowledgement goes out only here and only for what came here: on another connection it would be an error, or
    would take away something else.
    """

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        frame_reader: FrameReader,
        arrived: list[ServerFrame],
        *,
        server: str,
        heartbeat: Heartbeat,
    ) -> None:
        self.server = server
        self.lost_because = ""
        self._reader, self._writer = streams
        self._frames = frame_reader
        self._arrived = arrived
        """What came in one piece with CONNECTED."""
        self._heartbeat = heartbeat
        self._last_read = asyncio.get_running_loop().time()
        self._receipts: dict[str, asyncio.Future[None]] = {}
        self._unacknowledged: dict[str, str] = {}
        """Identity of the subscription by `ack` header."""
        self._counts: Counter[str] = Counter()

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return not self.lost_because

    @property
    def receipts_outstanding(self) -> int:
        """Requests that were not confirmed yet."""
        return len(self._receipts)

    def unacknowledged(self, subscription: str) -> int:
        """How many messages of a subscription came here and were not acknowledged."""
        return self._counts[subscription]

    async def listen(self, on_message: OnMessage) -> str:
        """Take in what comes until the connection is lost. Returns why it was."""
        beating = asyncio.create_task(self._beat())
        try:
            for frame in self._arrived:
                self._take(frame, on_message)
            while self.is_open:
                chunk = await self._reader.read(_READ_BYTES)
                self._last_read = asyncio.get_running_loop().time()
                if not chunk:
                    self.lose("the broker closed the connection")
                for frame in self._frames.feed(chunk):
                    self._take(frame, on_message)
        except OSError as error:
            self.lose(f"the connection broke: {error}")
        except NotStompError as error:
            self.lose(f"the broker sent what is no STOMP: {error}")
        finally:
            self.lose("given up")
            beating.cancel()
        return self.lost_because

    async def request(self, data: bytes, receipt: str, timeout_s: float) -> None:
        """Send frames and wait for the receipt that they ask for.

        Raises:
            ServiceError: the broker refused, or the connection was lost before the receipt, so that it is unknown
                whether the broker has them.
        """
        if not self.is_open:
            raise ServiceError(f"no connection to the broker at {self.server}: {self.lost_because}")
        waiting = asyncio.get_running_loop().create_future()
        self._receipts[receipt] = waiting
        try:
            async with asyncio.timeout(timeout_s):
                self._writer.write(data)
                with suppress(OSError):  # then the connection is lost, and the receipt says so
                    await self._writer.drain()
                await waiting
        except TimeoutError:
            # What it does with the request now, we would not learn: only a new connection makes that clear.
            self.lose(f"no receipt within {timeout_s:g} s")
            raise ServiceError(f"the broker at {self.server} gave no receipt within {timeout_s:g} s") from None
        finally:
            self._receipts.pop(receipt, None)

    def acknowledge(self, acks: Iterable[str]) -> None:
        """Take messages away that came by this connection. Others, and those that were acknowledged, are left out."""
        if not self.is_open:
            return
        parts = []
        for ack in acks:
            subscription = self._unacknowledged.pop(ack, None)
            if subscription is not None:
                self._counts[subscription] -= 1
                parts.append(frames.acknowledgement(ack))
        if parts:
            self._writer.write(b"".join(parts))

    async def close(self, timeout_s: float) -> None:
        """Say goodbye, so that what was written before arrives, and go."""
        with suppress(ServiceError):
            await self.request(dump_frame(DisconnectFrame(headers={"receipt": "goodbye"})), "goodbye", timeout_s)
        self.lose("closed")

    def lose(self, reason: str) -> None:
        """The connection is no more; whoever waits for a receipt learns it. Only the first reason counts."""
        if not self.is_open:
            return
        self.lost_because = reason
        self._unacknowledged.clear()
        self._counts.clear()
        for waiting in self._receipts.values():
            if not waiting.done():
                waiting.set_exception(ServiceError(f"the connection to the broker at {self.server} was lost: {reason}"))
        self._writer.transport.abort()

    def _take(self, frame: ServerFrame, on_message: OnMessage) -> None:
        match frame:
            case MessageFrame(headers=headers):
                subscription, ack = headers.get("subscription", ""), headers.get("ack", "")
                self._unacknowledged[ack] = subscription
                self._counts[subscription] += 1
                on_message(self, subscription, frame)
            case ReceiptFrame(headers=headers):
                waiting = self._receipts.get(headers.get("receipt-id", ""))
                if waiting is not None and not waiting.done():
                    waiting.set_result(None)
            case ErrorFrame(headers=headers):
                waiting = self._receipts.get(headers.get("receipt-id", ""))
                if waiting is None:
                    self.lose(f"the broker reports: {error_text(frame)}")
                elif not waiting.done():
                    waiting.set_exception(ServiceError(f"the broker at {self.server} refused: {error_text(frame)}"))
            case _:
                raise NotStompError("a second CONNECTED")

    async def _beat(self) -> None:
        """Send heartbeats, and notice a broker that does not: one that hangs closes no connection."""
        send_s, expect_s = self._heartbeat.send_s, self._heartbeat.expect_s
        intervals = [interval for interval in (send_s / 3, expect_s / 2) if interval]
        if not intervals:
            return
        loop = asyncio.get_running_loop()
        sent = loop.time()
        while self.is_open:
            await asyncio.sleep(min(intervals))
            if send_s and loop.time() - sent >= send_s * 0.6:  # well before it is due: the broker need not be patient
                self._writer.write(b"\n")
                sent = loop.time()
            if expect_s and loop.time() - self._last_read > _SILENCE_FACTOR * expect_s:
                self.lose(f"the broker was silent for {_SILENCE_FACTOR * expect_s:g} s")


def error_text(frame: ErrorFrame) -> str:
    """What an ERROR frame says, in one line."""
    said = frame.headers.get("message", "") or frame.body.decode("utf-8", errors="replace")
    return said.strip().split("\n", 1)[0][:500] or "an error without a text"
