"""Messages and subscriptions as STOMP frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from stompman import AckFrame, AnyClientFrame, BeginFrame, CommitFrame, NackFrame, SendFrame, SubscribeFrame, dump_frame

from swf.messaging.bus import Wire
from swf.messaging.stomp.names import Names, Source


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
    return dump_frame(
        SendFrame.build(
            body=wire.body.encode(),
            destination=names.target(wire.destination, wire.namespace),
            transaction=transaction,
            content_type="application/json",
            add_content_length=True,
            headers=headers,
        )
    )


def window(wires: Sequence[Wire], names: Names, transaction: str) -> tuple[bytes, str]:
    """Messages that the broker takes all or none, and the identity of the receipt that says that it has them."""
    receipt = f"receipt-{transaction}"
    if len(wires) == 1:
        return message(wires[0], names, None, receipt), receipt
    sends = (message(wire, names, transaction, None) for wire in wires)
    begin = _frame(BeginFrame, transaction=transaction)
    return b"".join((begin, *sends, _frame(CommitFrame, transaction=transaction, receipt=receipt))), receipt


def subscribe(identity: str, source: Source, prefetch: int) -> tuple[bytes, str]:
    """The request for messages of a queue, each to be acknowledged on its own, and the identity of its receipt."""
    receipt = f"receipt-{identity}"
    headers = {"activemq.prefetchSize": str(prefetch), "receipt": receipt}
    if source.selector:
        headers["selector"] = source.selector
    frame = SubscribeFrame.build(
        subscription_id=identity, destination=source.destination, ack="client-individual", headers=headers
    )
    return dump_frame(frame), receipt


def acknowledgement(identity: str) -> bytes:
    """The frame that takes a message away; `identity` is the header `ack` that it came with."""
    return _frame(AckFrame, id=identity)


def refusal(identity: str, receipt: str) -> bytes:
    """The frame that refuses a message, with a receipt: the broker gives it again, or puts it aside."""
    return _frame(NackFrame, id=identity, receipt=receipt)


def _frame(kind: type[Any], **headers: str) -> bytes:
    return dump_frame(cast("AnyClientFrame", kind(headers=headers)))


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
