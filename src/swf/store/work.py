"""The engine of work items: every move of every instrument's items, its events, and its compare-and-set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from swf.core.errors import RetriableError
from swf.core.ids import IdSource
from swf.core.work import WORK_TABLE, WorkState, WorkTrigger, may_retry
from swf.store import bulk
from swf.store.models import Event, WorkItem

W = TypeVar("W", bound=WorkItem)


class ConflictError(RetriableError):
    """Another process moved a work item between our reading and our writing; the batch is done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One move of one item; `attempt` and `holder` are those whose move it was."""

    item: WorkItem
    trigger: WorkTrigger
    source: WorkState
    target: WorkState
    at: datetime
    attempt: int
    holder: str
    note: str = ""


class WorkMoves:
    """The moves of one transaction: made in memory by the table of `swf.core.work`, written together by `save`.

    Every method raises IllegalMoveError, and changes nothing, where the item's state does not allow the move.
    """

    def __init__(self, ids: IdSource, now: datetime) -> None:
        self._ids = ids
        self._now = now
        self._before: dict[int, tuple[WorkItem, WorkState, UUID]] = {}
        self.moves: list[Moved] = []

    def claim(self, item: WorkItem, holder: str, lease_s: float) -> None:
        """Take an item: its attempt grows by one, its lease is set."""
        until = self._now + timedelta(seconds=lease_s)
        self._move(item, WorkTrigger.CLAIM, attempt=item.attempt + 1, lease_holder=holder, lease_until=until)

    def complete(self, item: WorkItem) -> None:
        """Close an item with its result."""
        self._move(item, WorkTrigger.COMPLETE, attempt=ended_attempt(item), lease_until=None, reason="")

    def fail(self, item: WorkItem, reason: str, *, retry: bool = True) -> bool:
        """Record a failed attempt; put the item back into the queue, under a new `req_id`, while retries remain.

        With `retry` False it stays failed, because trying again cannot help. Returns whether it was put back.
        """
        self._move(item, WorkTrigger.FAIL, reason, attempt=ended_attempt(item), lease_until=None, reason=reason)
        if not retry or not may_retry(item.retries, item.max_retries):
            return False
        self._requeue(item, WorkTrigger.RETRY, retries=item.retries + 1)
        return True

    def release(self, item: WorkItem, reason: str) -> None:
        """Put an item back that its holder did not finish, through no fault of the item: no retry is used up."""
        self._requeue(item, WorkTrigger.RELEASE, reason, reason=reason)

    def redrive(self, item: WorkItem, reason: str) -> None:
        """Put a failed or expired item back at an operator's wish: it has one retry more, and this is it."""
        retries = item.retries + 1
        self._requeue(item, WorkTrigger.REDRIVE, reason, retries=retries, max_retries=max(item.max_retries, retries))

    def cancel(self, item: WorkItem, reason: str) -> None:
        """Take an item away that is no longer wanted."""
        self._move(item, WorkTrigger.CANCEL, reason, lease_until=None, reason=reason)

    def expire(self, item: WorkItem, reason: str) -> None:
        """Close an item whose deadline has passed."""
        self._move(item, WorkTrigger.EXPIRE, reason, lease_until=None, reason=reason)

    def save(self, fields: Sequence[str] = ()) -> None:
        """Write all moved items, compare-and-set on status and request; `fields` are written besides.

        Under one request an item is in each state at most once, so that nothing happened in between where both are
        what they were.

        Raises:
            ConflictError: another process moved one of them meanwhile.
        """
        by_model: dict[type[WorkItem], list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        columns = (*_LIFECYCLE_FIELDS, *fields)
        for item, status, request in self._before.values():
            item.updated_at = self._now
            new = {name: getattr(item, name) for name in columns if name in _LIFECYCLE_FIELDS or hasattr(item, name)}
            by_model.setdefault(type(item), []).append((new, {"id": item.pk, "status": status, "req_id": request}))
        # In the same order in every process, so that none waits for one that waits for it.
        for model, rows in sorted(by_model.items(), key=lambda entry: entry[0]._meta.label):
            rows.sort(key=lambda row: int(row[1]["id"]))
            changed = bulk.update(model, rows)
            if changed != len(rows):
                raise ConflictError(f"{len(rows) - changed} of {len(rows)} {model.__name__} rows were moved by another")
        self._before.clear()

    def tally(self) -> Counter[tuple[int | None, WorkState, int]]:
        """The change of the number of items per (run, state): +1 where one came, -1 where one left."""
        change: Counter[tuple[int | None, WorkState, int]] = Counter()
        for move in self.moves:
            change[move.item.run_number, move.source, -1] += 1
            change[move.item.run_number, move.target, +1] += 1
        return change

    def _requeue(self, item: WorkItem, trigger: WorkTrigger, note: str = "", **changes: object) -> None:
        self._move(item, trigger, note, **changes)
        item.req_id = self._ids.new()
        item.lease_holder = ""
        item.lease_until = None

    def _move(self, item: WorkItem, trigger: WorkTrigger, note: str = "", **changes: object) -> None:
        source = WorkState(item.status)
        target = WORK_TABLE.target(source, trigger)
        self._before.setdefault(id(item), (item, source, item.req_id))
        item.status = target
        for name, value in changes.items():
            setattr(item, name, value)
        self.moves.append(
            Moved(
                item=item,
                trigger=trigger,
                source=source,
                target=target,
                at=self._now,
                attempt=item.attempt,
                holder=item.lease_holder,
                note=note,
            )
        )


def ended_attempt(item: WorkItem) -> int:
    """The number of the attempt that ended; one that was never claimed, by a worker outside, counts as well."""
    return item.attempt + (item.status == WorkState.QUEUED)


_LIFECYCLE_FIELDS = (
    "status",
    "attempt",
    "retries",
    "max_retries",
    "req_id",
    "lease_holder",
    "lease_until",
    "reason",
    "updated_at",
)


def transition_rows(moves: Iterable[Moved], actor: str) -> list[dict[str, Any]]:
    """The event rows of moves."""
    return [
        {
            "kind": Event.Kind.TRANSITION,
            "type": move.trigger.value,
            "namespace": move.item.namespace,
            "run_number": move.item.run_number,
            "execution_id": "",
            "subject": move.item.name,
            "sender": actor,
            "sender_seq": 0,
            "destination": "",
            "message_id": None,
            "created_at": move.at,
            "body": json.dumps(
                {
                    "item": type(move.item).__name__,
                    "from": move.source,
                    "to": move.target,
                    "attempt": move.attempt,
                    "holder": move.holder,
                    "note": move.note,
                }
            ),
        }
        for move in moves
    ]


def new_item(
    ids: IdSource,
    now: datetime,
    *,
    name: str,
    namespace: str,
    run_number: int,
    max_retries: int,
    status: WorkState = WorkState.QUEUED,
) -> dict[str, Any]:
    """The row of a new item, to which its model adds the fields of its own."""
    return {
        "name": name,
        "namespace": namespace,
        "run_number": run_number,
        "status": status,
        "req_id": ids.new(),
        "max_retries": max_retries,
        "created_at": now,
        "updated_at": now,
    }


def by_request(model: type[W], requests: Iterable[UUID]) -> dict[UUID, W]:
    """The items that these requests stand for, by request; a request that was replaced by a newer one is not there."""
    return {item.req_id: item for item in model._default_manager.filter(req_id__in=list(requests))}


def waiting(model: type[W], namespace: str, limit: int, related: Sequence[str] = ()) -> list[W]:
    """Queued items, oldest first, with what they are related to.

    In a transaction of PostgreSQL they are kept for it, and those that another one keeps are passed over.
    """
    rows = model._default_manager.select_related(*related).filter(namespace=namespace, status=WorkState.QUEUED)
    return list(_kept(rows).order_by("id")[:limit])


def held_by(model: type[W], namespace: str, holder: str) -> list[W]:
    """The items that are being processed under this holder's lease."""
    rows = model._default_manager.filter(namespace=namespace, status=WorkState.PROCESSING, lease_holder=holder)
    return list(rows.order_by("id"))


def overdue(model: type[W], namespace: str, now: datetime) -> list[W]:
    """The items whose lease has run out; in a transaction of PostgreSQL as `waiting`."""
    rows = model._default_manager.filter(namespace=namespace, status=WorkState.PROCESSING, lease_until__lt=now)
    return list(_kept(rows).order_by("id"))


def hand_out(item: WorkItem, holder: str, until: datetime) -> None:
    """Note on a queued item, which is saved afterwards, to whom it is given that does not claim.

    It stays queued: nobody says when work on it begins. `unanswered` finds it where no answer comes.
    """
    item.lease_holder, item.lease_until = holder, until


def unanswered(model: type[W], namespace: str, now: datetime) -> list[W]:
    """The queued items that were handed out and not answered in time; in a transaction of PostgreSQL as `waiting`."""
    rows = model._default_manager.filter(namespace=namespace, status=WorkState.QUEUED, lease_until__lt=now)
    return list(_kept(rows).order_by("id"))


def _kept(rows: QuerySet[W]) -> QuerySet[W]:
    """The rows, locked where the database locks rows: SQLite's writers take turns as a whole."""
    if connection.in_atomic_block and connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows
