"""Taking away the rows of topics that everybody has read, so that the embedded bus does not grow with every run."""

from __future__ import annotations

from typing import Final

from django.db import connection

from swf.messaging.bus import Subscription

EVERY: Final = 1000
"""After how many numbers of the outbox a topic is looked at again."""

_AT_ONCE: Final = 2 * EVERY
"""Rows that one look takes away: more than can have come since the last one, so that what was left behind goes too."""

_REMOVE_READ: Final = """
DELETE FROM store_outboxmessage WHERE id IN (
  SELECT id FROM store_outboxmessage WHERE namespace = %s AND destination = %s
  AND id <= (SELECT MIN(position) FROM store_rolecursor WHERE namespace = %s AND destination = %s)
  ORDER BY id LIMIT %s
)"""


class Sweep:
    """Removes what every role that ever subscribed to a topic has behind its cursor.

    It is done in the transaction that moves a cursor: what is taken away is committed together with what says that it
    was read. A role that is away keeps what it has not read, for as long as it is away; one that comes for the first
    time begins behind what was published, whether its rows are there or not.
    """

    def __init__(self) -> None:
        self._looked_at: dict[Subscription, int] = {}
        """Where each cursor was when it made the last look."""

    def moved(self, subscription: Subscription, position: int) -> None:
        """The cursor of this role has moved to this row: look, where its last look is some way behind."""
        before = self._looked_at.get(subscription)
        if before is not None and position - before < EVERY:
            return
        self._looked_at[subscription] = position
        topic = (subscription.namespace, subscription.destination)
        with connection.cursor() as cursor:
            cursor.execute(_REMOVE_READ, [*topic, *topic, _AT_ONCE])
