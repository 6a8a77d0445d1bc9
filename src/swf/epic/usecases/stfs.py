"""The STFs of a run, page by page: each page costs the same, however many there are and however far it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from swf.core.errors import UnknownNameError
from swf.core.times import rfc3339
from swf.core.work import LOST, WorkState
from swf.epic.models import StfFile, TfSlice
from swf.epic.names import parse_stf_name, sequences_beginning
from swf.epic.usecases.lookup import find_run


@dataclass(frozen=True, slots=True, kw_only=True)
class StfLine:
    """An STF in one line.

    `status` is that of its registration: queued, processing (its file is being verified), completed, failed, expired or
    cancelled. `samples` and `slices` are what it owes; None until that is decided. `attached` says whether the run's
    dataset has it, `in_buffer` whether its file is still in the exit buffer.
    """

    name: str
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

    def as_json(self) -> dict[str, Any]:
        """The line as plain values."""
        return {**asdict(self), "registered": rfc3339(self.registered)}


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
    namespace: str | None = None,
    *,
    status: WorkState | None = None,
    prefix: str = "",
    after: str | None = None,
    limit: int = 100,
) -> StfPage:
    """The registered STFs of a run in their order, one page of them.

    Args:
        run_number: the run.
        namespace: the run's, where that is to be checked.
        status: only those in this state.
        prefix: only those whose names begin so.
        after: begin behind the STF of this name.
        limit: so many at most.

    Raises:
        UnknownNameError: there is no such run, or `after` is not the name of an STF of it.
    """
    find_run(run_number, namespace)
    wanted = sequences_beginning(run_number, prefix)
    rows = StfFile.objects.filter(run_id=run_number, sequence__lt=wanted.stop)
    rows = rows.filter(sequence__gte=max(wanted.start, _behind(after, run_number)))
    if status is not None:
        rows = rows.filter(status=status)
    # One more than is shown tells whether there is another page.
    found = list(rows.order_by("sequence")[: limit + 1])
    shown = found[:limit]
    return StfPage(run=run_number, stfs=_lines(shown), after=shown[-1].name if len(found) > limit else None)


def _behind(after: str | None, run_number: int) -> int:
    """The first sequence behind the STF of this name."""
    if after is None:
        return 1
    name = parse_stf_name(after)
    if name.run != run_number:
        raise UnknownNameError(f"{after} is an STF of run {name.run}, not of run {run_number}")
    return name.sequence + 1


def _lines(stfs: list[StfFile]) -> tuple[StfLine, ...]:
    slices = TfSlice.objects.filter(stf_id__in=[stf.pk for stf in stfs]).order_by().values("stf_id")
    counts = slices.annotate(
        completed=Count("id", filter=Q(status=WorkState.COMPLETED)), lost=Count("id", filter=Q(status__in=LOST))
    )
    done = {stf: (completed, lost) for stf, completed, lost in counts.values_list("stf_id", "completed", "lost")}
    return tuple(_line(stf, *done.get(stf.pk, (0, 0))) for stf in stfs)


def _line(stf: StfFile, completed: int, lost: int) -> StfLine:
    return StfLine(
        name=stf.name,
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
