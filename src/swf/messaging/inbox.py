"""The inbox: which messages a role has taken already, kept in the transaction of their effects."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from swf.messaging.turn import Identity
from swf.store import bulk
from swf.store.models import InboxEntry


def admit(identity: Identity, messages: Mapping[UUID, int | None]) -> set[UUID]:
    """Enter messages, given as `{message_id: run number}`, and return those that this role had not taken before.

    Where another process of this role is taking one of them, this waits until that one commits or rolls back.
    """
    rows = [
        {
            "namespace": identity.namespace,
            "role": identity.role,
            "message_id": message_id,
            "run_number": messages[message_id],
        }
        for message_id in sorted(messages)
    ]
    return bulk.insert_new(InboxEntry, rows, "message_id")
