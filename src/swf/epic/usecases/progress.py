"""A run under way, in the few figures that a person watches; cheap enough to be asked four times a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from swf.core.work import WorkState
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.store.models import Alarm, DeadLetter, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The figures of a run.

    `lag_s` is the age of the oldest slice that still waits, in seconds; 0 where none does.
    """

    phase: str = ""
    state: str = ""
    stfs: int = 0
    stfs_produced: int | None = None
    tf_files: int = 0
    slices: int = 0
    queued: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0
    target_workers: int = 0
    lag_s: float = 0.0
    simulated: bool = False
    closed: bool = False


def progress_of(run_number: int, now: datetime) -> Progress:
    """The figures of a run now, in three look-ups by key or index. Zeros before it is announced."""
    row = RunState.objects.select_related("run").filter(pk=run_number).first()
    if row is None:
        return Progress()
    return Progress(
        phase=row.phase,
        state=f"{row.state}/{row.substate}",
        stfs=row.stf_registered,
        stfs_produced=row.run.total_stf_files,
        tf_files=row.tf_files_received,
        slices=row.slices_created,
        queued=row.slices_queued,
        processing=row.slices_processing,
        completed=row.slices_completed,
        failed=row.slices_failed,
        target_workers=row.target_worker_count,
        lag_s=_lag_s(run_number, now) if row.slices_queued else 0.0,
        simulated=row.run.simulated,
        closed=row.run.closed_at is not None,
    )


def open_alarms(namespace: str) -> tuple[str, ...]:
    """The texts of the alarms that are raised in a namespace."""
    return tuple(
        Alarm.objects.filter(namespace=namespace, cleared_at=None).order_by("id").values_list("text", flat=True)
    )


def last_event(run_number: int) -> int:
    """The sequence number of a run's latest event; 0 before the first one. It grows as long as anything happens."""
    return Event.objects.filter(run_number=run_number).aggregate(last=Max("seq"))["last"] or 0


def under_way(run_number: int, namespace: str) -> int:
    """Work items of a run that somebody holds, and messages that are tried again by themselves: what may still bring an
    event without anybody's help."""
    models: tuple[type[StfFile] | type[FastMonFile] | type[TfSlice], ...] = (StfFile, FastMonFile, TfSlice)
    held = sum(
        model._default_manager.filter(run_number=run_number, status=WorkState.PROCESSING).count() for model in models
    )
    return held + DeadLetter.objects.filter(namespace=namespace, state=DeadLetter.State.RETRYING).count()


def _lag_s(run_number: int, now: datetime) -> float:
    waiting = TfSlice.objects.filter(run_number=run_number, status=WorkState.QUEUED).order_by("id")
    # Since when it waits now: one that is tried again was created long before.
    oldest = waiting.values_list("updated_at", flat=True).first()
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
