"""Log lines of agents and services."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.service.queries.runs_seen import of_execution, of_namespace, of_run
from swf.store.filters import Filter, instant, words
from swf.store.listing import Listing, both
from swf.store.models import AppLog

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine(Shown):
    """A log line; `fields` are those beside the named ones."""

    id: int
    at: datetime
    level: str
    app: str
    agent: str
    event: str
    namespace: str
    execution: str
    run: int | None
    fields: dict[str, Any]


def show_log(log_id: int, scene: Scene) -> LogLine:
    """The log line of that number.

    Raises:
        UnknownNameError: there is none.
    """
    row = AppLog.objects.filter(pk=log_id).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no log line {log_id} {here(scene.namespaces)}")
    return _line(row)


def _line(row: AppLog) -> LogLine:
    return LogLine(
        id=row.pk,
        at=row.timestamp,
        level=row.levelname,
        app=row.app_name,
        agent=row.instance_name,
        event=row.event,
        namespace=row.namespace,
        execution=row.execution_id,
        run=row.run_number,
        fields=json.loads(row.extra_data),
    )


def _lines(rows: Sequence[AppLog], scene: Scene) -> list[LogLine]:
    return [_line(row) for row in rows]


LOGS = Listing(
    name="logs",
    text="Log lines, the newest first.",
    rows=AppLog.objects.all,
    lines=_lines,
    line=LogLine,
    filters={
        "namespace": of_namespace(),
        "run": of_run(),
        "execution": of_execution(),
        "level": words("Of this level.", "levelname", LEVELS),
        "app": Filter(text="Of this program.", lookup="app_name"),
        "agent": Filter(text="Of this agent.", lookup="instance_name"),
        "event": Filter(text="Of this event.", lookup="event"),
        "search": Filter(text="That have this text in their fields.", lookup="extra_data__icontains"),
        "since": instant("Of this instant or later.", "timestamp__gte"),
        "until": instant("Before this instant.", "timestamp__lt"),
    },
    orders=both("at", "timestamp", "id"),
    indexed=(frozenset({"run"}), frozenset({"execution"})),
    ranged=frozenset({"since", "until"}),
)
