"""An explanation: what a thing is, its state, why it is in it, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from swf.core.times import rfc3339
from swf.store.models import Attempt, Event

NOT_ANNOUNCED: Final = "not_announced"
"""Nothing has been heard of it, and nothing need have been."""
NOT_MADE: Final = "not_made"
"""What it is made of is not there yet."""

EVENTS_SHOWN = 20
"""The latest events of a thing; older ones are in the replay of its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One line of the event log."""

    seq: int | None
    at: datetime
    kind: str
    type: str
    subject: str
    sender: str
    text: str
    """What it says, in short."""
    body: dict[str, Any]
    """The message as sent, or the transition."""

    def as_json(self) -> dict[str, Any]:
        """The event as plain values."""
        return {**asdict(self), "at": rfc3339(self.at)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt at a work item, as it ended."""

    attempt: int
    outcome: str
    holder: str
    finished: datetime
    seconds: float
    exit_code: int | None
    detail: str
    stderr_tail: str

    def as_json(self) -> dict[str, Any]:
        """The attempt as plain values."""
        return {**asdict(self), "finished": rfc3339(self.finished)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The causal chain of one thing, in words.

    `kind` is run, stf, sample, slice, execution, dataset, agent or product. `state` is its word: that of a work item
    (queued, processing, completed, failed, expired, cancelled), `not_required`, `missing`, `not_announced`, `not_made`,
    or the lifecycle's of a run, execution, dataset or agent. `why` has one sentence per link of the chain, from the
    run's end of it; `stages` has the word of an STF at each stage; `parts` counts what it consists of by state; `next`
    is what a person can do.
    """

    name: str
    kind: str
    state: str
    what: str
    why: tuple[str, ...]
    next: tuple[str, ...] = ()
    stages: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, dict[str, int]], ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    events: tuple[EventView, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The explanation as plain values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "state": self.state,
            "what": self.what,
            "why": list(self.why),
            "next": list(self.next),
            "stages": dict(self.stages),
            "parts": dict(self.parts),
            "attempts": [attempt.as_json() for attempt in self.attempts],
            "events": [{k: v for k, v in event.as_json().items() if k != "body"} for event in self.events],
        }


def attempts_at(item: str) -> tuple[AttemptView, ...]:
    """The attempts at a work item that have ended, in order."""
    rows = Attempt.objects.filter(item=item).order_by("attempt", "id")
    return tuple(
        AttemptView(
            attempt=row.attempt,
            outcome=row.outcome,
            holder=row.holder,
            finished=row.finished_at,
            seconds=row.seconds,
            exit_code=row.exit_code,
            detail=row.detail,
            stderr_tail=row.stderr_tail,
        )
        for row in rows
    )


def latest_events(**conditions: Any) -> tuple[EventView, ...]:
    """The latest events that meet these conditions, in their order."""
    rows = Event.objects.filter(**conditions).order_by("-seq")[:EVENTS_SHOWN]
    return tuple(event_view(row) for row in reversed(rows))


def event_view(event: Event) -> EventView:
    """A row of the event log for a person."""
    body = json.loads(event.body)
    return EventView(
        seq=event.seq,
        at=event.created_at,
        kind=event.kind,
        type=event.type,
        subject=event.subject,
        sender=event.sender,
        text=_text(event, body),
        body=body,
    )


def _text(event: Event, body: Mapping[str, Any]) -> str:
    if event.kind == Event.Kind.MESSAGE:
        return f"to {event.destination}" if event.destination else ""
    if "from" in body and "to" in body:
        note = body.get("note", "")
        return f"{body['from']} to {body['to']}{f': {note}' if note else ''}"
    return ", ".join(f"{key} {value}" for key, value in body.items())


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first names of many, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return f"{', '.join(every[:most])}{more}"


def counted(words: dict[str, int]) -> str:
    """Numbers by word: `3 completed, 1 failed`; `none` where there are none."""
    return ", ".join(f"{number} {word}" for word, number in words.items() if number) or "none"
