"""Leases of slices that ran out: the worker is gone or stuck, so the attempt failed and the slice goes to another
one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import prefetch_related_objects

from swf.core.times import Clock, Interval
from swf.core.work import WithoutResult
from swf.epic.models import TfSlice
from swf.epic.run_counts import save_slice_moves
from swf.epic.run_settings import execution_ids
from swf.epic.slice_queue import SendSlice
from swf.messaging.turn import Turn, TurnFactory
from swf.store import bulk
from swf.store.models import Attempt
from swf.store.work import ended_attempt, overdue

_INTERVAL_S = 1.0

_LEAP: Final = timedelta(seconds=5)
"""A wall clock that gains more than this on the monotonic one between two looks was set ahead."""


Find = Callable[[type[TfSlice], str, datetime], list[TfSlice]]
"""The slices of a namespace whose lease has passed."""


class LeaseKeeper:
    """A reconciler: slices whose lease has passed fail, with the reason, and are queued again.

    A clock that is set ahead is no passage of time: leases from before that go by the clock as it was, until none of
    them is left. After one that is set back, leases last so much longer.

    `find` looks for those that are being processed, or for those that were handed out; `send` queues them.
    """

    def __init__(self, namespace: str, clock: Clock, send: SendSlice, find: Find = overdue) -> None:
        self._namespace = namespace
        self._clock = clock
        self._find = find
        self._send = send
        self._interval = Interval(clock, _INTERVAL_S)
        now = clock.now()
        self._looked_at = (now, clock.monotonic())
        self._leap = now
        """When the clock was set ahead: leases until before that are of the time before."""
        self._ahead = timedelta()
        """By how much, since the oldest leases that are left."""

    def step(self, begin: TurnFactory) -> bool:
        self._watch_clock()
        if not self._interval.is_over():
            return False
        late = self._late(self._clock.now())
        if late:
            with begin() as turn:
                requeue(turn, late, self._send)
        return bool(late)

    def _watch_clock(self) -> None:
        """At every step, and not only when leases are looked at: what is claimed between two leaps is of their time."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        before, monotonic_before = self._looked_at
        self._looked_at = (now, monotonic)
        gained = (now - before) - timedelta(seconds=monotonic - monotonic_before)
        if gained > _LEAP:
            self._leap, self._ahead = now, self._ahead + gained

    def _late(self, now: datetime) -> list[TfSlice]:
        late = self._find(TfSlice, self._namespace, now)
        if not self._ahead:
            return late
        of_before = [item for item in late if item.lease_until is not None and item.lease_until < self._leap]
        if not of_before:
            self._ahead = timedelta()
        alive = {item.pk for item in of_before if item.lease_until and item.lease_until >= now - self._ahead}
        return [item for item in late if item.pk not in alive]


def requeue(turn: Turn, late: list[TfSlice], send: SendSlice) -> None:
    """Fail these slices because their lease ran out, and queue them again while retries remain."""
    prefetch_related_objects(late, "stf")
    executions = execution_ids({item.stf.run_id for item in late})
    moves, attempts = turn.moves(), []
    for item in late:
        reason = f"lease_expired: {item.lease_holder} did not report before {item.lease_until:%H:%M:%S} UTC"
        attempts.append(_attempt(turn, item, WithoutResult.LEASE_EXPIRED, reason))
        if moves.fail(item, reason):
            send(turn, item, item.stf, executions.get(item.stf.run_id))
    save_slice_moves(turn, moves)
    bulk.insert(Attempt, attempts)


def hand_back(turn: Turn, items: list[TfSlice], reason: str, send: SendSlice) -> None:
    """Queue these slices again, whose worker stopped: no fault of theirs, so no retry is used up."""
    prefetch_related_objects(items, "stf")
    executions = execution_ids({item.stf.run_id for item in items})
    moves, attempts = turn.moves(), []
    for item in items:
        attempts.append(_attempt(turn, item, WithoutResult.RELEASED, reason))
        moves.release(item, reason)
        send(turn, item, item.stf, executions.get(item.stf.run_id))
    save_slice_moves(turn, moves)
    bulk.insert(Attempt, attempts)


def _attempt(turn: Turn, item: TfSlice, outcome: str, detail: str) -> dict[str, object]:
    return {
        "item": item.name,
        "attempt": ended_attempt(item),
        "run_number": item.run_number,
        "holder": item.lease_holder,
        "finished_at": turn.now,
        "outcome": outcome,
        "detail": detail,
    }
