"""The lifecycle of a work item, the same for every instrument.

A claim increments the item's `attempt`, which is its fencing token: a result that carries an older attempt is late and
changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

from swf.core.transitions import Move, TransitionTable

MAX_RETRIES = 3
"""How often a failed item goes back to the queue; so there are at most four attempts that fail."""


class WorkState(StrEnum):
    """Where a work item is."""

    QUEUED = "queued"
    """Waiting for somebody to take it."""
    PROCESSING = "processing"
    """Taken under a lease, by the holder that the item names."""
    COMPLETED = "completed"
    """Done; its products are registered."""
    FAILED = "failed"
    """Its last attempt failed. With retries left it goes back to the queue at once."""
    EXPIRED = "expired"
    """Its deadline passed before it was done."""
    CANCELLED = "cancelled"
    """An operator or the end of its run took it away."""


class WithoutResult(StrEnum):
    """How an attempt ended of which no result counts; one with a result has the payload's outcome."""

    LATE = "late"
    """Its result came when another attempt stood."""
    LEASE_EXPIRED = "lease_expired"
    """Its holder did not report in time."""
    RELEASED = "released"
    """Its holder stopped, or handed it back; no fault of its own."""


class WorkTrigger(StrEnum):
    """What moves a work item."""

    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    RELEASE = "release"
    EXPIRE = "expire"
    CANCEL = "cancel"
    REDRIVE = "redrive"


_Q, _P, _F = WorkState.QUEUED, WorkState.PROCESSING, WorkState.FAILED

WORK_TABLE = TransitionTable(
    "work item",
    WorkState.QUEUED,
    (
        Move(source=_Q, trigger=WorkTrigger.CLAIM, target=_P, why="a worker takes it; attempt + 1, lease set"),
        Move(
            source=_Q,
            trigger=WorkTrigger.COMPLETE,
            target=WorkState.COMPLETED,
            why="result of a worker outside this system, which does not claim",
        ),
        Move(source=_Q, trigger=WorkTrigger.FAIL, target=_F, why="failure of a worker that does not claim"),
        Move(source=_Q, trigger=WorkTrigger.EXPIRE, target=WorkState.EXPIRED, why="its deadline passed"),
        Move(source=_Q, trigger=WorkTrigger.CANCEL, target=WorkState.CANCELLED, why="no longer wanted"),
        Move(source=_P, trigger=WorkTrigger.COMPLETE, target=WorkState.COMPLETED, why="result of the current attempt"),
        Move(source=_P, trigger=WorkTrigger.FAIL, target=_F, why="the attempt failed, or its lease ran out"),
        Move(source=_P, trigger=WorkTrigger.RELEASE, target=_Q, why="handed back unfinished by a holder that stops"),
        Move(source=_P, trigger=WorkTrigger.EXPIRE, target=WorkState.EXPIRED, why="its deadline passed"),
        Move(source=_P, trigger=WorkTrigger.CANCEL, target=WorkState.CANCELLED, why="no longer wanted"),
        Move(source=_F, trigger=WorkTrigger.RETRY, target=_Q, why="retries remain"),
        Move(
            source=_F,
            trigger=WorkTrigger.REDRIVE,
            target=_Q,
            why="an operator tries again: one retry more than there were",
        ),
        Move(source=WorkState.EXPIRED, trigger=WorkTrigger.REDRIVE, target=_Q, why="an operator tries again"),
    ),
)

UNFINISHED = frozenset({WorkState.QUEUED, WorkState.PROCESSING})
"""States in which an item is still owed a result."""

LOST = frozenset({WorkState.FAILED, WorkState.EXPIRED, WorkState.CANCELLED})
"""States in which an item has come to its end without a result."""


def may_retry(retries: int, max_retries: int = MAX_RETRIES) -> bool:
    """Whether an item that failed after `retries` retries goes back to the queue."""
    return retries < max_retries
