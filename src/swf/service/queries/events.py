"""The event log: messages and transitions, in the order of their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, Min, QuerySet

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.service.queries.runs_seen import of_execution, of_namespace, of_run
from swf.store.filters import Filter, Kind, number, words
from swf.store.listing import Listing, both
from swf.store.models import Event

SKEW: Final = timedelta(minutes=10)
"""So far the clocks of senders may be apart, for a search by time to find all."""
_PROBES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine(Shown):
    """A row of the event log. `kind` is message or transition; `body` is the message as sent, or the transition."""

    seq: int
    kind: str
    type: str
    namespace: str
    run: int | None
    execution: str
    subject: str
    sender: str
    sender_seq: int
    destination: str
    message_id: str | None
    at: datetime
    body: dict[str, Any]


def show_event(seq: int, scene: Scene) -> EventLine:
    """The row of that number.

    Raises:
        UnknownNameError: there is none.
    """
    row = Event.objects.filter(seq=seq).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no event {seq} {here(scene.namespaces)}")
    return event_line(row)


def event_line(row: Event) -> EventLine:
    """A numbered row of the log as it is shown."""
    assert row.seq is not None
    return EventLine(
        seq=row.seq,
        kind=row.kind,
        type=row.type,
        namespace=row.namespace,
        run=row.run_number,
        execution=row.execution_id,
        subject=row.subject,
        sender=row.sender,
        sender_seq=row.sender_seq,
        destination=row.destination,
        message_id=None if row.message_id is None else str(row.message_id),
        at=row.created_at,
        body=json.loads(row.body),
    )


def _lines(rows: Sequence[Event], scene: Scene) -> list[EventLine]:
    return [event_line(row) for row in rows]


def _since(rows: QuerySet[Any], instant: datetime) -> QuerySet[Any]:
    return rows.filter(created_at__gte=instant, seq__gt=numbers_around(instant - SKEW)[0])


def _until(rows: QuerySet[Any], instant: datetime) -> QuerySet[Any]:
    return rows.filter(created_at__lt=instant, seq__lte=numbers_around(instant + SKEW)[1])


def numbers_around(instant: datetime) -> tuple[int, int]:
    """Two numbers of the log around an instant: rows up to the first one are of before it, those behind the second one
    of after it, by the clocks of senders. Few rows are looked at, however long the log is."""
    ends = Event.objects.aggregate(first=Min("seq"), last=Max("seq"))
    low, high = (ends["first"] or 1) - 1, ends["last"] or 0
    while high - low > _PROBES:
        step = (high - low) // _PROBES
        probes = Event.objects.filter(seq__in=range(low + step, high, step)).order_by("seq")
        found = list(probes.values_list("seq", "created_at"))
        before = max((seq for seq, at in found if seq is not None and at < instant), default=low)
        behind = min((seq for seq, at in found if seq is not None and seq > before), default=high)
        if (before, behind) == (low, high):  # what lies between was pruned
            break
        low, high = before, behind
    return low, high


def _instant(text: str, narrow: Callable[[QuerySet[Any], datetime], QuerySet[Any]]) -> Filter:
    return Filter(text=text, kind=Kind.INSTANT, narrow=narrow)


_FILTERS = {
    "namespace": of_namespace(),
    "run": of_run(),
    "execution": of_execution(),
    "subject": Filter(text="About the thing of this name.", lookup="subject"),
    "type": Filter(text="Of this type.", lookup="type"),
    "sender": Filter(text="Sent by this agent.", lookup="sender"),
    "after": number("Behind the event of this number; with the order `seq`, what came next.", "seq__gt"),
    "since": _instant("Of this instant or later, by the sender's clock.", _since),
    "until": _instant("Before this instant, by the sender's clock.", _until),
}
_RANGED = frozenset({"after", "since", "until"})
_INDEXED = tuple(frozenset(each) for each in (("run",), ("execution",), ("subject",)))

EVENTS = Listing(
    name="events",
    text="The event log, messages and transitions, the newest first.",
    rows=lambda: Event.objects.filter(seq__isnull=False),
    lines=_lines,
    line=EventLine,
    filters={**_FILTERS, "kind": words("Of this kind.", "kind", Event.Kind.values)},
    orders=both("seq"),
    indexed=_INDEXED,
    ranged=_RANGED,
)

MESSAGES = Listing(
    name="messages",
    text="Messages between the DAQ, agents and workers, the newest first.",
    rows=lambda: Event.objects.filter(seq__isnull=False, kind=Event.Kind.MESSAGE),
    lines=_lines,
    line=EventLine,
    filters=_FILTERS,
    orders=both("seq"),
    indexed=_INDEXED,
    ranged=_RANGED,
)
