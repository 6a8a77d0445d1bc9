"""Feeding the event log of a run back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from swf.core.scene import EVERYWHERE, Namespaces
from swf.core.times import Clock
from swf.epic.usecases.explanation import EventView, event_view
from swf.epic.usecases.lookup import find_run
from swf.store import events as log

_PAGE = 500

Wait = Callable[[float], object]
"""Waits that many seconds."""


def replay(
    run_number: int,
    *,
    clock: Clock,
    wait: Wait,
    speed: float = 0.0,
    first: int = 0,
    namespaces: Namespaces = EVERYWHERE,
) -> Iterator[EventView]:
    """The events of a run in their order, at the pace at which they came or faster.

    Args:
        run_number: the run.
        clock: tells how late the replay is; a slow reader is caught up with.
        wait: called with the seconds until the next event is due.
        speed: 1 is the original pace, 10 ten times as fast, 0 at once.
        first: the sequence number to begin with; a reader that stopped goes on with the last one it has plus 1.
        namespaces: those that may be seen.

    Raises:
        UnknownNameError: there is no such run.
        ValueError: `speed` is negative.
    """
    if not speed >= 0:
        raise ValueError(f"a speed of {speed} is no pace: expected 0 or more")
    find_run(run_number, namespaces)
    return _paced(_events(run_number, first), clock, wait, speed)


def _paced(events: Iterator[EventView], clock: Clock, wait: Wait, speed: float) -> Iterator[EventView]:
    zero = None
    began = clock.monotonic()
    for event in events:
        zero = zero or event.at
        if speed:
            due = began + (event.at - zero).total_seconds() / speed
            early = due - clock.monotonic()
            if early > 0:
                wait(early)
        yield event


def _events(run_number: int, first: int) -> Iterator[EventView]:
    """Page by page, by sequence number: what is added meanwhile comes as well."""
    seq = first - 1
    while True:
        page = log.after(seq, _PAGE, log.EventFilter(run_number=run_number))
        if not page:
            return
        for event in page:
            yield event_view(event)
        seq = page[-1].seq or seq
