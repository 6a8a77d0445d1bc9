"""Runs in progress as pipelines: how much is at each stage, how fast it goes, and which stage limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, DateTimeField, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from swf.core.figures import duration
from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.core.work import LOST, UNFINISHED, WorkState
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.store.listing import in_sight
from swf.store.models import Run, WorkflowExecution

MOST: Final = 8
"""So many runs in progress are shown, the newest first."""
LAGGING_S: Final = 2.0
"""What waits for longer holds the run up."""
_LATEST: Final = {"registered": 10, "sampled": 10, "processed": 100}
"""Rates are taken over so many of the latest units."""
Status = WorkflowExecution.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView(Shown):
    """A stage of a run in progress.

    `count` units passed it, of `of` that are to pass it (None: not known yet); `waiting` are in it, the oldest for
    `lag_s` seconds; `lost` failed, expired or were cancelled in it; `rate_per_s` is over the latest ones (None: no
    rate). `word` says how it is: waiting, working, limits, done or lost.
    """

    name: str
    unit: str
    count: int
    of: int | None
    waiting: int
    lost: int
    rate_per_s: float | None
    lag_s: float
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Shown):
    """A run in progress: its stages from the DAQ to its closing, and in `limit` which of them holds it up."""

    run: int
    execution: str
    namespace: str
    simulated: bool
    phase: str
    daq_state: str
    alive: bool
    started: datetime
    target_workers: int
    """Workers that were planned for."""
    stages: tuple[StageView, ...]
    limit: str


def pipelines(scene: Scene) -> tuple[Pipeline, ...]:
    """The runs in progress, the newest first: those that are not closed and whose execution has not come to its end."""
    executions = {
        row.execution_id: row
        for row in in_sight(WorkflowExecution.objects.all(), scene.namespaces)
        .filter(status__in=[Status.RUNNING, Status.REQUESTED, Status.PAUSED], run_number__isnull=False)
        .only("execution_id", "status", "run_number")
        .order_by("-start_time")[:MOST]
    }
    numbers = [row.run_number for row in executions.values()]
    states = _with_looks(RunState.objects.select_related("run").filter(pk__in=numbers, run__closed_at=None))
    rows = list(states.order_by("-run__start_time"))
    waiting = _waiting([row.run_id for row in rows])
    return tuple(_pipeline(row, executions.get(row.run.execution_id), waiting, scene) for row in rows)


def limiting(stages: Sequence[StageView]) -> StageView | None:
    """The stage in which units wait for longest; None where none waits for long."""
    slow = [stage for stage in stages if stage.waiting and stage.lag_s >= LAGGING_S]
    return max(slow, key=lambda stage: stage.lag_s, default=None)


def _with_looks(rows: QuerySet[RunState]) -> QuerySet[Any]:
    """The states with the looks that rates and lags need: each is answered by an index, all in one query."""
    stfs = StfFile.objects.filter(run_id=OuterRef("pk"))
    samples = FastMonFile.objects.filter(run_number=OuterRef("pk"))
    slices = TfSlice.objects.filter(run_number=OuterRef("pk"))
    done = {"status": WorkState.COMPLETED}
    return rows.annotate(
        last_sequence=_look(stfs.order_by("-sequence"), "sequence", IntegerField()),
        registered_at=_nth(stfs.filter(**done).order_by("-sequence"), "updated_at", _LATEST["registered"]),
        sampled_at=_nth(samples.filter(**done).order_by("-id"), "updated_at", _LATEST["sampled"]),
        processed_at=_nth(slices.filter(**done).order_by("-id"), "completed_at", _LATEST["processed"]),
        registering_since=_oldest(stfs.order_by("sequence")),
        sampling_since=_oldest(samples.order_by("id")),
        processing_since=_oldest(slices.order_by("id")),
    )


def _look(rows: QuerySet[Any], column: str, field: Any) -> Subquery:
    return Subquery(rows.values(column)[:1], output_field=field)


def _nth(rows: QuerySet[Any], column: str, number: int) -> Subquery:
    return Subquery(rows.values(column)[number - 1 : number], output_field=DateTimeField())


def _oldest(rows: QuerySet[Any]) -> Coalesce:
    """Since when the oldest unit waits; what is held by somebody counts where nothing is queued."""
    return Coalesce(
        _look(rows.filter(status=WorkState.QUEUED), "updated_at", DateTimeField()),
        _look(rows.filter(status=WorkState.PROCESSING), "updated_at", DateTimeField()),
    )


def _waiting(numbers: Sequence[int]) -> dict[tuple[str, int], dict[str, int]]:
    """By stage and run: how many STFs and TF sample files are in each state that is not done."""
    found: dict[tuple[str, int], dict[str, int]] = {}
    shown = [*UNFINISHED, *LOST]
    looks = (("registered", StfFile, "run_id"), ("sampled", FastMonFile, "run_number"))
    for stage, model, run in looks:
        rows = model._default_manager.filter(**{f"{run}__in": numbers}, status__in=shown).order_by()
        for number, status, count in rows.values_list(run, "status").annotate(number=Count("id")):
            found.setdefault((stage, number), {})[status] = count
    return found


def _pipeline(
    row: Any, execution: WorkflowExecution | None, waiting: dict[tuple[str, int], dict[str, int]], scene: Scene
) -> Pipeline:
    run: Run = row.run
    alive = execution is not None and execution.status == Status.RUNNING and scene.process is not None
    stages = _stages(row, waiting, scene.now)
    slow = limiting(stages)
    stages = tuple(_named(stage, slow) for stage in stages)
    return Pipeline(
        run=run.run_number,
        execution=run.execution_id,
        namespace=run.namespace,
        simulated=run.simulated,
        phase=row.phase,
        daq_state=f"{row.state}/{row.substate}" if row.state else "",
        alive=alive,
        started=run.start_time,
        target_workers=row.target_worker_count,
        stages=stages,
        limit=_said(run, execution, slow, alive=alive),
    )


def _stages(row: Any, waiting: dict[tuple[str, int], dict[str, int]], now: datetime) -> tuple[StageView, ...]:
    run: Run = row.run
    stfs, samples = waiting.get(("registered", run.pk), {}), waiting.get(("sampled", run.pk), {})
    produced = run.total_stf_files or row.last_sequence or 0
    verified = row.stf_registered - sum(stfs.values())
    in_slices = row.slices_queued + row.slices_processing
    to_go = _open(stfs) + _open(samples) + in_slices + produced - row.stf_registered
    ended = run.end_time is not None
    return (
        _stage("DAQ", "STFs", produced, run.total_stf_files, 0, 0, None, 0.0, ended=ended),
        _stage(
            "registered",
            "STFs",
            verified,
            produced,
            _open(stfs),
            _lost(stfs),
            _rate(row.registered_at, "registered", now),
            _age(row.registering_since, now),
            ended=ended,
        ),
        _stage(
            "sampled",
            "samples",
            row.tf_files_received,
            row.tf_files_received + sum(samples.values()),
            _open(samples),
            _lost(samples),
            _rate(row.sampled_at, "sampled", now),
            _age(row.sampling_since, now),
            ended=ended,
        ),
        _stage("sliced", "slices", row.slices_created, None, 0, 0, None, 0.0, ended=ended),
        _stage(
            "processed",
            "slices",
            row.slices_completed,
            row.slices_created,
            in_slices,
            row.slices_failed,
            _rate(row.processed_at, "processed", now),
            _age(row.processing_since, now),
            ended=ended,
        ),
        _stage("closed", "to go", to_go, None, 0, 0, None, 0.0, ended=False),
    )


def _stage(
    name: str,
    unit: str,
    count: int,
    of: int | None,
    waiting: int,
    lost: int,
    rate: float | None,
    lag_s: float,
    *,
    ended: bool,
) -> StageView:
    done = ended and not waiting and (of is None or count + lost >= of)
    word = "lost" if lost else "done" if done else "working" if waiting or count else "waiting"
    return StageView(
        name=name,
        unit=unit,
        count=count,
        of=of,
        waiting=waiting,
        lost=lost,
        rate_per_s=rate,
        lag_s=lag_s if waiting else 0.0,
        word=word,
    )


def _named(stage: StageView, slow: StageView | None) -> StageView:
    if slow is None or stage.name != slow.name:
        return stage
    values = {name: getattr(stage, name) for name in StageView.__slots__}
    return StageView(**{**values, "word": "limits"})


def _said(run: Run, execution: WorkflowExecution | None, slow: StageView | None, *, alive: bool) -> str:
    if execution is not None and execution.status == Status.REQUESTED:
        return "No agent has taken it yet."
    if execution is not None and execution.status == Status.PAUSED:
        return "It is paused: nothing of it goes on until it is resumed."
    if not alive:
        return "No process is at work at it: nothing of it goes on until it is resumed."
    if slow is not None:
        what = {"registered": "Registration", "sampled": "Sampling", "processed": "Processing"}[slow.name]
        return f"{what} limits: {slow.waiting} wait, the oldest for {duration(slow.lag_s)}."
    return "The DAQ has ended; the rest is under way." if run.end_time else "Everything keeps up with the DAQ."


def _open(words: dict[str, int]) -> int:
    return sum(number for word, number in words.items() if word in UNFINISHED)


def _lost(words: dict[str, int]) -> int:
    return sum(number for word, number in words.items() if word in LOST)


def _rate(since: datetime | None, stage: str, now: datetime) -> float | None:
    """Units a second since the first of the latest ones; None before there are that many."""
    if since is None:
        return None
    return round(_LATEST[stage] / max(0.05, (now - since).total_seconds()), 3)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
