"""Opening a connection to a broker, and saying in words why it could not be opened."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

from stompman import ConnectedFrame, ConnectFrame, ErrorFrame, dump_frame

from swf.core.codec import MAX_BYTES
from swf.messaging.stomp.access import Access, Endpoint
from swf.messaging.stomp.reader import FrameReader, NotStompError, ServerFrame
from swf.messaging.stomp.session import Heartbeat, Session, error_text

_BUFFER_BYTES = 1024 * 1024
_OVERHEAR_S = 1.0
_PORT = "correct [bus] port (variable ACTIVEMQ_PORT)"

FOREIGN_PROTOCOLS: Final = (
    (b"\x01ActiveMQ", f"speaks OpenWire, not STOMP: its STOMP port is another one, usually 61613; {_PORT}"),
    (b"AMQP", f"speaks AMQP, not STOMP: {_PORT}"),
    (b"HTTP/", f"speaks HTTP, not STOMP: {_PORT}"),
    (b"SSH-", f"speaks SSH, not STOMP: {_PORT}"),
    (
        b"\x15\x03",
        "expects TLS: set [bus] use_ssl and ssl_ca_certs (variables ACTIVEMQ_USE_SSL, ACTIVEMQ_SSL_CA_CERTS)",
    ),
)
"""What other servers say first, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why there is no connection. `refused`: somebody answered and it cannot work before something is changed."""

    text: str
    refused: bool = False


async def dial(endpoint: Endpoint, access: Access) -> Session | Trouble:
    """Open a connection: TCP, TLS where asked for, and STOMP up to CONNECTED."""
    try:
        async with asyncio.timeout(access.connect_timeout_s):
            streams = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=access.tls, limit=_BUFFER_BYTES)
    except OSError as error:
        return _unopened(error, endpoint, access)
    outcome: Session | Trouble | None = None
    try:
        outcome = await _greet(streams, endpoint, access)
    finally:
        if not isinstance(outcome, Session):
            streams[1].transport.abort()
    return outcome or await _overhear(endpoint, access)


def _unopened(error: OSError, endpoint: Endpoint, access: Access) -> Trouble:
    tls = f"; does it speak TLS? {_PORT} or use_ssl" if access.tls else ""
    match error:
        case ssl.SSLCertVerificationError():
            said = error.verify_message or str(error)
            text = f"the certificate of {endpoint} is not accepted: {said}; correct [bus] ssl_ca_certs or host"
            return Trouble(text=text, refused=True)
        case ssl.SSLError():
            said = error.reason or str(error)
            text = f"{endpoint} does not speak TLS as it should: {said}; {_PORT} or use_ssl"
            return Trouble(text=text, refused=True)
        case TimeoutError():
            return Trouble(text=f"{endpoint} does not answer within {access.connect_timeout_s:g} s{tls}")
        case ConnectionRefusedError():
            variables = "(variables ACTIVEMQ_HOST, ACTIVEMQ_PORT)"
            text = f"nothing listens at {endpoint}: start the broker, or correct [bus] host and port {variables}"
            return Trouble(text=text)
        case ConnectionError():
            return Trouble(text=f"{endpoint} closed the connection while it was opened{tls}")
        case _:
            return Trouble(text=f"{endpoint} cannot be reached: {error.strerror or error}")


async def _overhear(endpoint: Endpoint, access: Access) -> Trouble:
    """Somebody hung up without a word that arrived. Call again, say nothing, and hear who it is."""
    said = b""
    try:
        async with asyncio.timeout(min(access.connect_timeout_s, _OVERHEAR_S)):
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=access.tls)
            try:
                said = await reader.read(64)
            finally:
                writer.transport.abort()
    except OSError:
        pass
    tls = "" if access.tls else "; does it expect TLS ([bus] use_ssl)?"
    return _foreign(endpoint, said) or Trouble(text=f"{endpoint} closed the connection without an answer{tls}")


async def _greet(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], endpoint: Endpoint, access: Access
) -> Session | Trouble | None:
    """Say CONNECT and take the answer; None where there was none."""
    reader, writer = streams
    frame_reader = FrameReader(MAX_BYTES + 1)
    beginning = b""
    writer.write(_connect_frame(endpoint, access))
    try:
        async with asyncio.timeout(access.connect_timeout_s):
            while True:
                chunk = await reader.read(4096)
                beginning = (beginning + chunk)[:64]
                if not chunk:
                    return _foreign(endpoint, beginning)
                if frames := frame_reader.feed(chunk):
                    return _answer(frames, streams, frame_reader, endpoint, access)
    except TimeoutError:
        return Trouble(text=f"{endpoint} does not answer CONNECT within {access.connect_timeout_s:g} s; {_PORT}")
    except NotStompError as error:
        return _foreign(endpoint, beginning) or Trouble(
            text=f"{endpoint} is no STOMP broker: {error}; {_PORT}", refused=True
        )
    except OSError:
        return _foreign(endpoint, beginning)


def _connect_frame(endpoint: Endpoint, access: Access) -> bytes:
    beat = round(access.heartbeat_s * 1000)
    frame = ConnectFrame(
        headers={
            "accept-version": "1.2",
            "host": access.virtual_host or endpoint.host,
            "heart-beat": f"{beat},{beat}",
            "login": access.user,
            "passcode": access.password,
        }
    )
    return dump_frame(frame)


def _answer(
    frames: list[ServerFrame],
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    frame_reader: FrameReader,
    endpoint: Endpoint,
    access: Access,
) -> Session | Trouble:
    match frames[0]:
        case ConnectedFrame(headers=headers) if headers.get("version") == "1.2":
            heartbeat = agreed(headers.get("heart-beat", "0,0"), access.heartbeat_s)
            return Session(streams, frame_reader, frames[1:], server=str(endpoint), heartbeat=heartbeat)
        case ConnectedFrame(headers=headers):
            version = headers.get("version", "1.0")
            return Trouble(text=f"{endpoint} speaks STOMP {version[:20]}; 1.2 is needed", refused=True)
        case ErrorFrame() as frame:
            return Trouble(
                text=f"{endpoint} refused user {access.user!r}: {error_text(frame)}; check [bus] user and password "
                "(variables ACTIVEMQ_USER, ACTIVEMQ_PASSWORD)",
                refused=True,
            )
        case frame:
            return Trouble(text=f"{endpoint} answers CONNECT with {type(frame).__name__}; {_PORT}", refused=True)


def agreed(offer: str, ours_s: float) -> Heartbeat:
    """What both sides do, from the server's header `heart-beat` (milliseconds: what it sends, what it expects)."""
    sends, _, expects = offer.partition(",")
    server_sends, server_expects = (int(text) / 1000 if text.strip().isdigit() else 0.0 for text in (sends, expects))
    return Heartbeat(
        send_s=max(ours_s, server_expects) if server_expects else 0.0,
        expect_s=max(ours_s, server_sends) if server_sends else 0.0,
    )


def _foreign(endpoint: Endpoint, beginning: bytes) -> Trouble | None:
    for mark, text in FOREIGN_PROTOCOLS:
        # OpenWire says the length of its first message before its name.
        if beginning.startswith(mark) or (mark.startswith(b"\x01") and beginning[4:].startswith(mark)):
            return Trouble(text=f"{endpoint} {text}", refused=True)
    return None
