"""STFs: their list, and each with its word at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Count, Q, QuerySet

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.core.work import LOST, WorkState
from swf.epic.models import StfFile, TfSlice
from swf.epic.names import parse_stf_name, sequences_beginning
from swf.epic.usecases.explain_stf import words_of
from swf.epic.usecases.explanation import AttemptView, attempts_at
from swf.epic.usecases.lookup import find_run
from swf.service.queries.runs_seen import namespace_of_run, of_namespace
from swf.store.filters import Filter, Value, number, words, yes_no
from swf.store.listing import Listing, Question, both


@dataclass(frozen=True, slots=True, kw_only=True)
class StfLine(Shown):
    """An STF in one line.

    `status` is that of its registration: queued, processing (its file is being verified), completed, failed, expired or
    cancelled. `samples` and `slices` are what it owes; None until that is decided. `attached` says whether the run's
    dataset has it, `in_buffer` whether its file is still in the exit buffer.
    """

    name: str
    run: int
    namespace: str
    sequence: int
    status: str
    reason: str
    size_bytes: int
    tfs: int
    samples: int | None
    slices: int | None
    slices_completed: int
    slices_lost: int
    attached: bool
    in_buffer: bool
    simulated: bool
    registered: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StfDetail(Shown):
    """An STF. `stages` has its word at each stage; `tf_first` is the detector's number of its first TF; `attempts` are
    those at its verification."""

    name: str
    run: int
    namespace: str
    sequence: int
    status: str
    reason: str
    size_bytes: int
    tfs: int
    samples: int | None
    slices: int | None
    slices_completed: int
    slices_lost: int
    attached: bool
    in_buffer: bool
    simulated: bool
    registered: datetime
    tf_first: int
    adler32: str
    sha256: str
    has_content: bool
    daq_state: str
    daq_substate: str
    attempt: int
    retries: int
    holder: str
    updated: datetime
    attached_at: datetime | None
    removed_at: datetime | None
    stages: dict[str, str]
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StfPage:
    """One page of a run's STFs, in their order; `after` is the name to ask the next page with, None on the last one."""

    run: int
    stfs: tuple[StfLine, ...]
    after: str | None

    def as_json(self) -> dict[str, Any]:
        """The page as plain values."""
        return {"run": self.run, "stfs": [line.as_json() for line in self.stfs], "after": self.after}


def list_stfs(
    run_number: int,
    scene: Scene,
    *,
    status: WorkState | None = None,
    prefix: str = "",
    after: str | None = None,
    limit: int = 100,
) -> StfPage:
    """The registered STFs of a run in their order, one page of them.

    Args:
        run_number: the run.
        scene: what may be seen.
        status: only those in this state.
        prefix: only those whose names begin so.
        after: begin behind the STF of this name.
        limit: so many at most.

    Raises:
        UnknownNameError: there is no such run, or `after` is not the name of an STF of it.
    """
    find_run(run_number, scene.namespaces)
    wanted = sequences_beginning(run_number, prefix)
    filters: dict[str, Value] = {"run": run_number, "first": max(wanted.start, _behind(after, run_number))}
    filters["last"] = wanted.stop - 1 if wanted else 0
    if status is not None:
        filters["status"] = status
    # One more than is shown tells whether there is another page.
    found = list(islice(STFS.every(Question(filters=filters), scene), limit + 1))
    shown = found[:limit]
    return StfPage(run=run_number, stfs=tuple(shown), after=shown[-1].name if len(found) > limit else None)


def show_stf(name: str, scene: Scene) -> StfDetail:
    """An STF, with its word at each stage.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = StfFile.objects.select_related("run").filter(name=name).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no STF {name[:100]!r} {here(scene.namespaces)}")
    (line,) = _lines([row], scene)
    return StfDetail(
        **{field: getattr(line, field) for field in StfLine.__slots__},
        tf_first=row.tf_first,
        adler32=row.adler32,
        sha256=row.sha256,
        has_content=row.has_content,
        daq_state=row.daq_state,
        daq_substate=row.daq_substate,
        attempt=row.attempt,
        retries=row.retries,
        holder=row.lease_holder,
        updated=row.updated_at,
        attached_at=row.attached_at,
        removed_at=row.removed_at,
        stages={stage.value: word for stage, word in words_of(row).items()},
        attempts=attempts_at(row.name),
    )


def namespace_of_stf(name: str) -> str | None:
    """The namespace of an STF; None where there is none of that name."""
    return StfFile.objects.filter(name=name).values_list("namespace", flat=True).first()


def of_stf(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """The parts of an STF. Its key is looked up first, so that they are found by it, and by nothing else."""
    pk = StfFile.objects.filter(name=name).values_list("pk", flat=True).first()
    return rows.none() if pk is None else rows.filter(stf_id=pk)


def _behind(after: str | None, run_number: int) -> int:
    """The first sequence behind the STF of this name."""
    if after is None:
        return 1
    name = parse_stf_name(after)
    if name.run != run_number:
        raise UnknownNameError(f"{after} is an STF of run {name.run}, not of run {run_number}")
    return name.sequence + 1


def _lines(stfs: Sequence[StfFile], scene: Scene) -> list[StfLine]:
    slices = TfSlice.objects.filter(stf_id__in=[stf.pk for stf in stfs]).order_by().values("stf_id")
    counts = slices.annotate(
        completed=Count("id", filter=Q(status=WorkState.COMPLETED)), lost=Count("id", filter=Q(status__in=LOST))
    )
    done = {stf: (completed, lost) for stf, completed, lost in counts.values_list("stf_id", "completed", "lost")}
    return [_line(stf, *done.get(stf.pk, (0, 0))) for stf in stfs]


def _line(stf: StfFile, completed: int, lost: int) -> StfLine:
    return StfLine(
        name=stf.name,
        run=stf.run_id,
        namespace=stf.namespace,
        sequence=stf.sequence,
        status=stf.status,
        reason=stf.reason,
        size_bytes=stf.size_bytes,
        tfs=stf.tf_count,
        samples=stf.sample_count,
        slices=stf.slice_count,
        slices_completed=completed,
        slices_lost=lost,
        attached=stf.attached_at is not None,
        in_buffer=stf.has_content and stf.removed_at is None,
        simulated=stf.simulated,
        registered=stf.created_at,
    )


def _attached(rows: QuerySet[Any], wanted: bool) -> QuerySet[Any]:
    return rows.filter(attached_at__isnull=not wanted)


def _in_buffer(rows: QuerySet[Any], wanted: bool) -> QuerySet[Any]:
    kept = Q(has_content=True, removed_at=None)
    return rows.filter(kept if wanted else ~kept)


_RUN = frozenset({"run"})

STFS = Listing(
    name="stf-files",
    text="STFs: those of one run in their order, or of all runs, the newest first.",
    rows=StfFile.objects.all,
    lines=_lines,
    line=StfLine,
    filters={
        "namespace": of_namespace(),
        "run": number("Of this run.", "run_id", namespace_of_run),
        "status": words("In this state of registration.", "status", WorkState),
        "name": Filter(text="Of this name.", lookup="name", namespace_of=namespace_of_stf),
        "first": number("From this sequence number on.", "sequence__gte"),
        "last": number("Up to this sequence number.", "sequence__lte"),
        "attached": yes_no("Attached to the run's dataset, or not.", _attached),
        "in_buffer": yes_no("Still in the exit buffer, or not.", _in_buffer),
    },
    orders={
        **both("sequence", newest_first=False, needs=_RUN),
        **both("id", bars=_RUN),
    },
    indexed=(frozenset({"name"}), frozenset({"name", "run"}), _RUN, frozenset({"run", "status"})),
    ranged=frozenset({"first", "last"}),
)
