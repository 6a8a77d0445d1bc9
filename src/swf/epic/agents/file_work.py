"""Work items that are done on files, by threads: claim, run, record; written once for verification and sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from swf.core.errors import DiskFullError, FatalError, SwfError
from swf.core.times import Clock, Interval
from swf.core.work import WorkState
from swf.messaging.turn import Turn, TurnFactory
from swf.service.io_pool import IoPool
from swf.store.models import WorkItem
from swf.store.work import WorkMoves, held_by, overdue, waiting

W = TypeVar("W", bound=WorkItem)

_LOOK_INTERVAL_S = 1.0
_LEASES_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask(Generic[W]):
    """What is done with the items of one model."""

    owner: str
    """Its name among the users of the threads."""
    model: type[W]
    start: Callable[[W], tuple[Callable[..., Any], tuple[Any, ...]]]
    """The function to run on a thread, and its arguments: values, no rows. What the function raises fails the item."""
    finish: Callable[[Turn, WorkMoves, Sequence[tuple[W, Any]]], Sequence[str]]
    """Records results: completes the items, sends messages. Returns the fields, beside the lifecycle's, to save."""
    related: tuple[str, ...] = ()
    """Relations of the items that are loaded with them."""


class FileWork(Generic[W]):
    """A reconciler: queued items are claimed and worked at. Items held by a process of this agent that died go back at
    its next start, those of another agent that does not come back when their lease has passed."""

    def __init__(self, task: FileTask[W], *, io: IoPool, clock: Clock, lease_s: float, window: int = 16) -> None:
        self._task = task
        self._clock = clock
        self._io = io
        self._lease_s = lease_s
        self._window = window
        self._held: dict[int, int] = {}
        """The items that are worked at, each with the number of the attempt."""
        self._finished: list[tuple[int, Future[Any]]] = []
        """Results that were taken from the threads and are not recorded yet: a database that fails loses none."""
        self._recovered = False
        self._look_at = 0.0
        self._look_at_leases = Interval(clock, _LEASES_INTERVAL_S)

    def step(self, begin: TurnFactory) -> bool:
        """Take results, then claim more."""
        worked = self._recover(begin)
        worked |= self._take_over(begin)
        worked |= self._finish(begin)
        worked |= self._start(begin)
        return worked

    def look(self) -> None:
        """There may be new items: look at the next step."""
        self._look_at = 0.0

    def _recover(self, begin: TurnFactory) -> bool:
        """At the first step nothing is running here: what rows say is held by this agent was left by a dead process."""
        if self._recovered:
            return False
        with begin() as turn:
            moves = turn.moves()
            for item in held_by(self._task.model, turn.identity.namespace, turn.identity.name):
                moves.release(item, "its holder stopped before it was done")
            moves.save()
            turn.record(moves.moves)
        self._recovered = True
        return bool(moves.moves)

    def _take_over(self, begin: TurnFactory) -> bool:
        """Put back what another agent held that is gone: no fault of the items'. A result that comes later is late."""
        if not self._look_at_leases.is_over():
            return False
        with begin() as turn:
            moves = turn.moves()
            for item in overdue(self._task.model, turn.identity.namespace, turn.now):
                if item.lease_holder != turn.identity.name:
                    moves.release(item, f"{item.lease_holder} did not finish before {item.lease_until:%H:%M:%S} UTC")
            moves.save()
            turn.record(moves.moves)
        if moves.moves:
            self.look()
        return bool(moves.moves)

    def _start(self, begin: TurnFactory) -> bool:
        free = self._window - len(self._held)
        if free <= 0 or self._clock.monotonic() < self._look_at:
            return False
        with begin() as turn:
            items = waiting(self._task.model, turn.identity.namespace, free, self._task.related)
            moves = turn.moves()
            for item in items:
                moves.claim(item, turn.identity.name, self._lease_s)
            moves.save()
            turn.record(moves.moves)
        if len(items) < free:
            # None is left. Our own handlers call `look`; another process (an operator's) is noticed by the interval.
            self._look_at = self._clock.monotonic() + _LOOK_INTERVAL_S
        for item in items:
            function, arguments = self._task.start(item)
            self._held[item.pk] = item.attempt
            self._io.submit(self._task.owner, item.pk, function, *arguments)
        return bool(items)

    def _finish(self, begin: TurnFactory) -> bool:
        self._finished += self._io.take(self._task.owner)
        if not self._finished:
            return False
        with begin() as turn:
            moves = turn.moves()
            done, failed = self._sorted(turn)
            fields = self._task.finish(turn, moves, done) if done else ()
            full = False
            for item, error in failed:
                if isinstance(error, DiskFullError):  # no fault of the item's, and no try of it: it waits for room
                    full = True
                    moves.release(item, str(error))
                else:
                    moves.fail(item, _in_words(error), retry=not isinstance(error, FatalError))
            moves.save(fields)
            turn.record(moves.moves)
        for key, _ in self._finished:
            del self._held[key]
        self._finished = []
        self._look_at = self._clock.monotonic() + _LOOK_INTERVAL_S if full else 0.0
        return not full

    def _sorted(self, turn: Turn) -> tuple[list[tuple[W, Any]], list[tuple[W, BaseException]]]:
        """Results and failures, with the rows as they are now: what came of an attempt that is void is late."""
        done: list[tuple[W, Any]] = []
        failed: list[tuple[W, BaseException]] = []
        rows = self._task.model._default_manager.select_related(*self._task.related)
        items = rows.in_bulk([key for key, _ in self._finished])
        for key, future in self._finished:
            item = items.get(key)
            if item is None or (item.status, item.attempt) != (WorkState.PROCESSING, self._held[key]):
                turn.note("late_result", item.name if item else "", item.run_number if item else None)
            elif (error := future.exception()) is None:
                done.append((item, future.result()))
            else:
                failed.append((item, error))
        return done, failed


def _in_words(error: BaseException) -> str:
    return str(error) if isinstance(error, SwfError) else f"{type(error).__name__}: {error}"
