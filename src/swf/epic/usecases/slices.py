"""Slices: TF ranges that are given to workers, with the attempts at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.core.work import WorkState
from swf.epic.models import TfSlice
from swf.epic.usecases.explanation import AttemptView, attempts_at
from swf.epic.usecases.stfs import namespace_of_stf, of_stf
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter, number, words
from swf.store.listing import Listing, both
from swf.store.models import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLine(Shown):
    """A slice. `tf_first` and `tf_last` are entries of its STF, both included; `attempt` counts the claims so far,
    `retries` those that went back to the queue after a failure; `holder` is who works at it or did so last."""

    id: int
    name: str
    run: int | None
    namespace: str
    stf: str
    sample: str
    slice: int
    status: str
    reason: str
    attempt: int
    retries: int
    max_retries: int
    holder: str
    tf_first: int
    tf_last: int
    tfs: int
    hits_found: int | None
    simulated: bool
    created: datetime
    updated: datetime
    completed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceDetail(SliceLine):
    """A slice with the attempts that have ended, and the products that were made of it."""

    request: str
    lease_until: datetime | None
    attempts: tuple[AttemptView, ...]
    products: tuple[str, ...]


def show_slice(name: str, scene: Scene) -> SliceDetail:
    """A slice with its attempts.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = TfSlice.objects.select_related("stf", "fastmon_file").filter(name=name).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no slice {name[:100]!r} {here(scene.namespaces)}")
    (line,) = _lines([row], scene)
    # A product is named by its slice and attempt: so the index of names finds those of one slice.
    stem = row.name.removesuffix(".tf")
    made = Product.objects.filter(name__gte=f"{stem}_a", name__lt=f"{stem}_b", item=row.name).order_by("id")
    return SliceDetail(
        **{field: getattr(line, field) for field in SliceLine.__slots__},
        request=str(row.req_id),
        lease_until=row.lease_until,
        attempts=attempts_at(row.name),
        products=tuple(made.values_list("name", flat=True)),
    )


def _lines(rows: Sequence[TfSlice], scene: Scene) -> list[SliceLine]:
    return [
        SliceLine(
            id=row.pk,
            name=row.name,
            run=row.run_number,
            namespace=row.namespace,
            stf=row.stf.name,
            sample=row.fastmon_file.name,
            slice=row.slice_id,
            status=row.status,
            reason=row.reason,
            attempt=row.attempt,
            retries=row.retries,
            max_retries=row.max_retries,
            holder=row.lease_holder,
            tf_first=row.tf_first,
            tf_last=row.tf_last,
            tfs=row.tf_count,
            hits_found=row.hits_found,
            simulated=row.stf.simulated,
            created=row.created_at,
            updated=row.updated_at,
            completed=row.completed_at,
        )
        for row in rows
    ]


SLICES = Listing(
    name="tf-slices",
    text="Slices, the newest first.",
    rows=lambda: TfSlice.objects.select_related("stf", "fastmon_file"),
    lines=_lines,
    line=SliceLine,
    filters={
        "namespace": of_namespace(),
        "run": of_run(),
        "stf": Filter(text="Of this STF.", narrow=of_stf, namespace_of=namespace_of_stf),
        "status": words("In this state.", "status", WorkState),
        "holder": Filter(text="Worked at by this agent, now or last.", lookup="lease_holder"),
        "attempts": number("Claimed at least so often.", "attempt__gte"),
        "name": Filter(text="Of this name.", lookup="name"),
    },
    orders=both("id"),
    indexed=tuple(
        frozenset(each)
        for each in (
            ("name",),
            ("stf",),
            ("stf", "status"),
            ("stf", "holder"),
            ("run",),
            ("run", "status"),
        )
    ),
)
