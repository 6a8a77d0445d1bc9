"""The inbox: which messages a role has taken already, kept in the transaction of their effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from swf.messaging.turn import Identity
from swf.store import bulk
from swf.store.models import InboxEntry


def admit(identity: Identity, messages: Mapping[UUID, int | None]) -> set[UUID]:
    """Enter messages, given as `{message_id: run number}`, and return those that this role had not taken before."""
    if not messages:
        return set()
    taken = already_taken(identity, messages)
    fresh = [message_id for message_id in messages if message_id not in taken]
    bulk.insert(
        InboxEntry,
        [
            {
                "namespace": identity.namespace,
                "role": identity.role,
                "message_id": message_id,
                "run_number": messages[message_id],
            }
            for message_id in fresh
        ],
    )
    return set(fresh)


def already_taken(identity: Identity, message_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these messages the role has taken before."""
    return set(
        InboxEntry.objects.filter(
            namespace=identity.namespace, role=identity.role, message_id__in=list(message_ids)
        ).values_list("message_id", flat=True)
    )
