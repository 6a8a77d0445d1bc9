"""The embedded bus: messages under way are rows of the store, so that a kill loses nothing and nothing is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from swf.core.destinations import is_topic
from swf.core.times import Clock
from swf.messaging.bus import Delivery, Subscription, Wire
from swf.messaging.outbox import outbox_row
from swf.messaging.sweep import EVERY, Sweep
from swf.store import bulk
from swf.store.models import OutboxMessage, RoleCursor

_Key = tuple[str, str, str]

_LOOK_AHEAD = 4
"""How many times more rows than are asked for are looked at: a role wants a part of a topic's messages."""

_LOOK_INTERVAL_S = 1.0
"""How soon a message is noticed that another process put there, e.g. at an operator's wish."""


class EmbeddedBus:
    """Serves all roles of one process from the outbox table; the data directory's lock makes it the only one.

    A topic is read by one cursor per role; what a role handled and committed lies behind its cursor, and what lies
    behind all cursors is swept away. A queue's row is taken away when it is acknowledged; what was received and not
    acknowledged comes again after a restart.
    """

    shares_database = True

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._positions: dict[_Key, int] = {}
        self._idle_until: dict[_Key, float] = {}
        """Where nothing waited: when to ask the database again. What this process sends is announced before that."""
        self._given: dict[_Key, int] = {}
        """The last row of each topic that a role was given, acknowledged or not."""
        self._kept: dict[_Key, int] = {}
        """Where the role's cursor was last moved to."""
        self._sweep = Sweep()

    def subscribe(self, subscription: Subscription) -> None:
        key = _key(subscription)
        if key in self._positions:
            return
        self._positions[key] = self._cursor(subscription) if is_topic(subscription.destination) else 0
        self._given[key] = self._kept[key] = self._positions[key]

    def receive(self, subscription: Subscription, limit: int) -> list[Delivery]:
        key = _key(subscription)
        if limit <= 0 or self._clock.monotonic() < self._idle_until.get(key, 0.0):
            return []
        look_at = limit * _LOOK_AHEAD if is_topic(subscription.destination) else limit
        while rows := self._rows(subscription, self._positions[key], look_at):
            wanted = [(row_id, body) for row_id, body in rows if body is not None]
            # Rows of other types are passed for good: they are not looked through again each time.
            self._positions[key] = wanted[limit - 1][0] if len(wanted) > limit else rows[-1][0]
            if wanted:
                self._given[key] = wanted[:limit][-1][0]
                return [Delivery(subscription=subscription, body=body, token=n) for n, body in wanted[:limit]]
        if is_topic(subscription.destination):
            self._pass_unwanted(subscription)
        self._idle_until[key] = self._clock.monotonic() + _LOOK_INTERVAL_S
        return []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        done: dict[_Key, tuple[Subscription, list[Any]]] = {}
        for delivery in deliveries:
            key = _key(delivery.subscription)
            done.setdefault(key, (delivery.subscription, []))[1].append(delivery.token)
        for subscription, tokens in done.values():
            if is_topic(subscription.destination):
                self._advance(subscription, max(tokens))
            else:
                self._remove(tokens)

    def publish(self, messages: Sequence[Wire]) -> None:
        bulk.insert(OutboxMessage, [outbox_row(wire) for wire in messages])
        self.announce(frozenset(wire.destination for wire in messages))

    def announce(self, destinations: frozenset[str]) -> None:
        self._idle_until = {key: until for key, until in self._idle_until.items() if key[2] not in destinations}

    @staticmethod
    def _cursor(subscription: Subscription) -> int:
        """Where the role has read to; where it is new, behind what was published so far."""
        published = OutboxMessage.objects.filter(
            namespace=subscription.namespace, destination=subscription.destination
        ).aggregate(last=Max("id"))
        cursor, _ = RoleCursor.objects.get_or_create(
            namespace=subscription.namespace,
            role=subscription.role,
            destination=subscription.destination,
            defaults={"position": published["last"] or 0},
        )
        return cursor.position

    @staticmethod
    def _rows(subscription: Subscription, after: int, limit: int) -> list[tuple[int, str | None]]:
        """The next rows of a destination; without a body where their type is not wanted."""
        # What nobody takes from a queue would stay in it for ever.
        types = sorted(subscription.types) if is_topic(subscription.destination) else []
        body = f"CASE WHEN msg_type IN ({', '.join(['%s'] * len(types))}) THEN body END" if types else "body"
        sql = (
            f"SELECT id, {body} FROM store_outboxmessage WHERE namespace = %s AND destination = %s AND id > %s"
            " ORDER BY id LIMIT %s"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [*types, subscription.namespace, subscription.destination, after, limit])
            return [(int(row[0]), row[1]) for row in cursor.fetchall()]

    def _pass_unwanted(self, subscription: Subscription) -> None:
        """Move a cursor over the rows that its role does not want, where they are many: they shall not be kept for it.

        Only where the cursor itself says that all that the role was given is committed.
        """
        key = _key(subscription)
        if self._positions[key] - self._kept[key] >= EVERY:
            with transaction.atomic():
                self._advance(subscription, self._positions[key], at_least=self._given[key])

    def _advance(self, subscription: Subscription, position: int, at_least: int = 0) -> None:
        moved = RoleCursor.objects.filter(
            namespace=subscription.namespace,
            role=subscription.role,
            destination=subscription.destination,
            position__gte=at_least,
            position__lt=position,
        ).update(position=position)
        if moved:
            self._kept[_key(subscription)] = position
            self._sweep.moved(subscription, position)

    @staticmethod
    def _remove(row_ids: list[Any]) -> None:
        marks = ", ".join(["%s"] * len(row_ids))
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM store_outboxmessage WHERE id IN ({marks})", row_ids)


def _key(subscription: Subscription) -> _Key:
    # The consumers of a queue share it, whatever their roles.
    role = subscription.role if is_topic(subscription.destination) else ""
    return subscription.namespace, role, subscription.destination
