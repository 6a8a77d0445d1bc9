"""Messages and subscriptions as STOMP frames."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from swf.messaging.bus import Wire
from swf.messaging.stomp.names import Names, Source

_SPECIAL: Final = re.compile(r"[\\\n\r:]")
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", ":": r"\c"})


def message(wire: Wire, names: Names, transaction: str | None, receipt: str | None) -> bytes:
    """The frame of a message. Headers are for those who choose by them; the body says everything."""
    headers = {
        **wire.headers,
        "persistent": "true",
        "msg_type": wire.msg_type,
        "namespace": wire.namespace,
        "message_id": str(wire.message_id),
    }
    if wire.run_number is not None:
        headers["run_id"] = str(wire.run_number)
    if wire.expires_at is not None:
        headers["expires"] = str(_milliseconds(wire.expires_at))
    if receipt is not None:
        headers["receipt"] = receipt
    if transaction is not None:
        headers["transaction"] = transaction
    body = wire.body.encode()
    headers |= {
        "destination": names.target(wire.destination, wire.namespace),
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    return written("SEND", headers, body)


def window(wires: Sequence[Wire], names: Names, transaction: str) -> tuple[bytes, str]:
    """Messages that the broker takes all or none, and the identity of the receipt that says that it has them."""
    receipt = f"receipt-{transaction}"
    if len(wires) == 1:
        return message(wires[0], names, None, receipt), receipt
    sends = (message(wire, names, transaction, None) for wire in wires)
    begin = written("BEGIN", {"transaction": transaction})
    commit = written("COMMIT", {"transaction": transaction, "receipt": receipt})
    return b"".join((begin, *sends, commit)), receipt


def subscribe(identity: str, source: Source, prefetch: int) -> tuple[bytes, str]:
    """The request for messages of a queue, each to be acknowledged on its own, and the identity of its receipt."""
    receipt = f"receipt-{identity}"
    headers = {"id": identity, "destination": source.destination, "ack": "client-individual", "receipt": receipt}
    headers["activemq.prefetchSize"] = str(prefetch)
    if source.selector:
        headers["selector"] = source.selector
    return written("SUBSCRIBE", headers), receipt


def acknowledgement(identity: str) -> bytes:
    """The frame that takes a message away; `identity` is the header `ack` that it came with."""
    return written("ACK", {"id": identity})


def refusal(identity: str, receipt: str) -> bytes:
    """The frame that refuses a message, with a receipt: the broker gives it again, or puts it aside."""
    return written("NACK", {"id": identity, "receipt": receipt})


def written(command: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A frame of any command but CONNECT, whose headers are not escaped. Source: STOMP 1.2, "Value Encoding"."""
    lines = [f"{_escaped(name)}:{_escaped(value)}\n" for name, value in headers.items()]
    return b"".join((f"{command}\n{''.join(lines)}\n".encode(), body, b"\0"))


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
