"""What an operator does to a store: bring its tables up to date, copy it, remove what is old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Model, Q, QuerySet

from swf.store.backup import Backup, backup
from swf.store.models import AppLog, Event, InboxEntry, Run
from swf.store.schema import SchemaState, check, state, upgrade

__all__ = ["Backup", "Pruned", "SchemaState", "backup", "check", "prune", "state", "upgrade"]

_BATCH: Final = 5000
"""Rows of one transaction: agents at work wait no longer than for these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows were removed, or would be where `dry_run` says so; `runs` of which they were."""

    dry_run: bool
    runs: int
    inbox_entries: int
    events: int
    app_logs: int

    def as_json(self) -> dict[str, Any]:
        """The numbers as plain values."""
        return asdict(self)


def prune(now: datetime, older_than: timedelta, *, namespace: str | None = None, dry_run: bool = False) -> Pruned:
    """Remove what is only of interest while a run is: of runs that were closed longer ago than `older_than`, the event
    log and the inbox; and log lines of that age.

    Runs, files, slices, attempts, products and dead letters stay. `older_than` must be longer than a broker can hold a
    message back: one that comes again after that would be taken for new.

    Args:
        now: the present.
        older_than: the age.
        namespace: only what belongs to this one; None means any.
        dry_run: only count.

    Raises:
        ValueError: the age is negative.
    """
    if older_than < timedelta(0):
        raise ValueError(f"the age {older_than} is negative")
    before = now - older_than
    runs = Run.objects.filter(closed_at__lt=before)
    of_runs = Q(run_number__in=runs.values("run_number"))
    inbox: QuerySet[Any] = InboxEntry.objects.filter(of_runs)
    events: QuerySet[Any] = Event.objects.filter(of_runs | Q(run_number=None, created_at__lt=before))
    logs: QuerySet[Any] = AppLog.objects.filter(timestamp__lt=before)
    if namespace is not None:
        runs, inbox, events, logs = (rows.filter(namespace=namespace) for rows in (runs, inbox, events, logs))
    remove = _count if dry_run else _remove
    # The log before the inbox: what is interrupted here is found again, by its run.
    numbers = {"events": remove(events), "inbox_entries": remove(inbox), "app_logs": remove(logs)}
    return Pruned(dry_run=dry_run, runs=runs.count(), **numbers)


def _count(rows: QuerySet[Any]) -> int:
    return rows.count()


def _remove(rows: QuerySet[Any]) -> int:
    return sum(model.filter(pk__in=keys).delete()[0] for model, keys in _batches(rows))


def _batches(rows: QuerySet[Any]) -> Iterator[tuple[Any, list[int]]]:
    model: type[Model] = rows.model
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        yield model._default_manager, keys
