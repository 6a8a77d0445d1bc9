"""Alarms: what a person should look at, and who has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter, instant, words
from swf.store.listing import Listing, both
from swf.store.models import Alarm

RAISED, ACKNOWLEDGED, CLEARED = "raised", "acknowledged", "cleared"
STATES = (RAISED, ACKNOWLEDGED, CLEARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine(Shown):
    """An alarm. `state` is raised (nobody has said that they look at it), acknowledged (by `acknowledged_by`) or
    cleared (its cause is gone)."""

    id: int
    namespace: str
    key: str
    severity: str
    state: str
    text: str
    what_to_do: str
    run: int | None
    raised: datetime
    acknowledged: datetime | None
    acknowledged_by: str
    cleared: datetime | None


def show_alarm(alarm_id: int, scene: Scene) -> AlarmLine:
    """An alarm.

    Raises:
        UnknownNameError: there is none of that number.
    """
    return _line(_seen(Alarm.objects.filter(pk=alarm_id).first(), alarm_id, scene))


def acknowledge_alarm(alarm_id: int, who: str, scene: Scene, *, dry_run: bool = False) -> AlarmLine:
    """Say that somebody looks after an alarm: it is kept who, and since when.

    Raises:
        UnknownNameError: there is none of that number.
        IllegalMoveError: it is acknowledged already, or its cause is gone.
    """
    with transaction.atomic():
        alarm = _seen(Alarm.objects.select_for_update().filter(pk=alarm_id).first(), alarm_id, scene)
        if _state(alarm) != RAISED:
            by = f" by {alarm.acknowledged_by}" if alarm.acknowledged_by else ""
            raise IllegalMoveError(f"alarm {alarm_id} is {_state(alarm)}{by}: only a raised one is acknowledged")
        alarm.acknowledged_at, alarm.acknowledged_by = scene.now, who
        if not dry_run:
            alarm.save(update_fields=["acknowledged_at", "acknowledged_by"])
    return _line(alarm)


def _seen(alarm: Alarm | None, alarm_id: int, scene: Scene) -> Alarm:
    if alarm is None or not sees(scene.namespaces, alarm.namespace):
        raise UnknownNameError(f"there is no alarm {alarm_id} {here(scene.namespaces)}")
    return alarm


def _state(alarm: Alarm) -> str:
    if alarm.cleared_at is not None:
        return CLEARED
    return RAISED if alarm.acknowledged_at is None else ACKNOWLEDGED


def _line(alarm: Alarm) -> AlarmLine:
    return AlarmLine(
        id=alarm.pk,
        namespace=alarm.namespace,
        key=alarm.key,
        severity=alarm.severity,
        state=_state(alarm),
        text=alarm.text,
        what_to_do=alarm.what_to_do,
        run=alarm.run_number,
        raised=alarm.raised_at,
        acknowledged=alarm.acknowledged_at,
        acknowledged_by=alarm.acknowledged_by,
        cleared=alarm.cleared_at,
    )


def _lines(rows: Sequence[Alarm], scene: Scene) -> list[AlarmLine]:
    return [_line(row) for row in rows]


def _in_state(rows: QuerySet[Any], states: list[str]) -> QuerySet[Any]:
    wanted = rows.none()
    if RAISED in states:
        wanted |= rows.filter(cleared_at=None, acknowledged_at=None)
    if ACKNOWLEDGED in states:
        wanted |= rows.filter(cleared_at=None, acknowledged_at__isnull=False)
    if CLEARED in states:
        wanted |= rows.filter(cleared_at__isnull=False)
    return wanted


_STATE = words("In this state.", "", STATES)

ALARMS = Listing(
    name="alarms",
    text="Alarms, the newest first.",
    rows=Alarm.objects.all,
    lines=_lines,
    line=AlarmLine,
    filters={
        "namespace": of_namespace(),
        "state": Filter(text=_STATE.text, kind=_STATE.kind, choices=_STATE.choices, narrow=_in_state),
        "severity": Filter(text="Of this severity.", lookup="severity"),
        "run": of_run(),
        "key": Filter(text="About this.", lookup="key"),
        "since": instant("Raised at this instant or later.", "raised_at__gte"),
        "until": instant("Raised before this instant.", "raised_at__lt"),
    },
    orders=both("id"),
)
