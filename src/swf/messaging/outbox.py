"""The outbox: messages as rows of the transaction that sends them, until they are published."""

from __future__ import annotations

from typing import Any

from swf.messaging.bus import Wire
from swf.store.models import OutboxMessage


def outbox_row(wire: Wire, sender: str = "") -> dict[str, Any]:
    """The outbox row of a message; `sender` is the agent whose relay publishes it, where there is a broker."""
    return {
        "sender": sender,
        "message_id": wire.message_id,
        "namespace": wire.namespace,
        "destination": wire.destination,
        "msg_type": wire.msg_type,
        "run_number": wire.run_number,
        "body": wire.body,
        "expires_at": wire.expires_at,
        "headers": dict(wire.headers) or None,
    }


def wire_of(row: OutboxMessage) -> Wire:
    """The message of an outbox row."""
    return Wire(
        message_id=row.message_id,
        namespace=row.namespace,
        destination=row.destination,
        msg_type=row.msg_type,
        run_number=row.run_number,
        body=row.body,
        expires_at=row.expires_at,
        headers=row.headers or {},
    )
