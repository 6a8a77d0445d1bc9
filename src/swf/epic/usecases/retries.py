"""Trying slices once more that failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.scene import Scene
from swf.core.work import WORK_TABLE, WorkState, WorkTrigger
from swf.epic.models import SliceRetry, TfSlice
from swf.epic.usecases.lookup import find_run
from swf.epic.usecases.scene import resume_command
from swf.store import bulk
from swf.store.models import Run

_REDRIVABLE = tuple(state for state in WorkState if WORK_TABLE.allows(state, WorkTrigger.REDRIVE))
_LISTED = " or ".join(_REDRIVABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """What became of the wish that slices are tried once more.

    `slices` are those that will be; `already` of them were wished for before. `process` is the one that will carry it
    out; None where none runs: then `next` is what has it carried out.
    """

    run: int
    execution: str
    by: str
    reason: str
    slices: tuple[str, ...]
    already: int
    process: int | None
    text: str
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """The request as plain values."""
        return {**asdict(self), "slices": list(self.slices)}


def retry_slices(
    run_number: int,
    names: Sequence[str],
    who: str,
    reason: str,
    scene: Scene,
    *,
    dry_run: bool = False,
) -> RetryRequest:
    """Have slices of an open run tried once more that failed or expired.

    Args:
        run_number: the run.
        names: the slices; none means all of the run that failed or expired.
        who: who wishes it; it is kept in the event log.
        reason: why.
        scene: the present. Where no process runs agents, the wish is kept, and is carried out when the execution is
            resumed.
        dry_run: nothing is changed; what is returned is what would be.

    Raises:
        UnknownNameError: there is no such run, or no such slice in it.
        IllegalMoveError: the run is closed, or a slice has not failed. Nothing is changed then.
    """
    find_run(run_number, scene.namespaces)
    with transaction.atomic():
        # The row is locked: who closes the run sees the wish, or this sees that it is closed.
        run = Run.objects.select_for_update().get(pk=run_number)
        if run.closed_at is not None:
            raise IllegalMoveError(
                f"run {run_number} is closed: its account and its dataset are final, and its STFs may have left the "
                "exit buffer. What failed in it stays failed; take the data again"
            )
        items = _named(run_number, names) if names else _all_failed(run_number)
        rows = [
            {"slice_id": item.pk, "attempt": item.attempt, "wished_by": who, "reason": reason, "wished_at": scene.now}
            for item in items
        ]
        new = bulk.insert(SliceRetry, rows, or_ignore=True)
        transaction.set_rollback(dry_run)
    count = f"{len(items)} slice{'' if len(items) == 1 else 's'} of run {run_number}"
    if scene.process is None:
        text = (
            f"no process is at work in this data directory: the wish is kept, and {count} will be tried once more when "
            "the execution is resumed"
        )
    else:
        text = f"{count} will be tried once more by process {scene.process}"
    return RetryRequest(
        run=run_number,
        execution=run.execution_id,
        by=who,
        reason=reason,
        slices=tuple(item.name for item in items),
        already=len(items) - new,
        process=scene.process,
        text=text,
        next=resume_command(run.execution_id) if scene.process is None else "",
    )


def _named(run_number: int, names: Sequence[str]) -> list[TfSlice]:
    wanted = list(dict.fromkeys(names))
    found = {item.name: item for item in TfSlice.objects.filter(run_number=run_number, name__in=wanted)}
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise UnknownNameError(
            f"run {run_number} has no slice {unknown[0][:100]!r}{_more(unknown)}; those that failed are named by: "
            f"testbed runs ledger {run_number}"
        )
    items = [found[name] for name in wanted]
    others = [f"{item.name} is {item.status}" for item in items if item.status not in _REDRIVABLE]
    if others:
        raise IllegalMoveError(
            f"{others[0]}{_more(others)}: only what is {_LISTED} is tried once more; nothing was done"
        )
    return items


def _all_failed(run_number: int) -> list[TfSlice]:
    items = list(TfSlice.objects.filter(run_number=run_number, status__in=_REDRIVABLE).order_by("id"))
    if not items:
        raise IllegalMoveError(f"nothing to try again: run {run_number} has no slice that is {_LISTED}")
    return items


def _more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
