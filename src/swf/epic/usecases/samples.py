"""TF sample files: what fast monitoring took from STFs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.core.work import WorkState
from swf.epic.models import FastMonFile
from swf.epic.usecases.explanation import AttemptView, attempts_at
from swf.epic.usecases.stfs import namespace_of_stf, of_stf
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter, words
from swf.store.listing import Listing, both


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLine(Shown):
    """A TF sample file, as a work item: `status` is that of its sampling. `tf_first` and `tf_last` are entries of its
    STF, both included."""

    id: int
    name: str
    run: int | None
    namespace: str
    stf: str
    status: str
    reason: str
    sample: int
    samples: int
    tf_first: int
    tf_last: int
    tfs: int
    size_bytes: int
    hits: int
    simulated: bool
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDetail(SampleLine):
    """A TF sample file, with its checksums and the attempts at it."""

    adler32: str
    sha256: str
    attempt: int
    retries: int
    max_retries: int
    holder: str
    attempts: tuple[AttemptView, ...]


def show_sample(name: str, scene: Scene) -> SampleDetail:
    """A TF sample file.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = FastMonFile.objects.select_related("stf").filter(name=name).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no TF sample file {name[:100]!r} {here(scene.namespaces)}")
    (line,) = _lines([row], scene)
    return SampleDetail(
        **{field: getattr(line, field) for field in SampleLine.__slots__},
        adler32=row.adler32,
        sha256=row.sha256,
        attempt=row.attempt,
        retries=row.retries,
        max_retries=row.max_retries,
        holder=row.lease_holder,
        attempts=attempts_at(row.name),
    )


def _lines(rows: Sequence[FastMonFile], scene: Scene) -> list[SampleLine]:
    return [
        SampleLine(
            id=row.pk,
            name=row.name,
            run=row.run_number,
            namespace=row.namespace,
            stf=row.stf.name,
            status=row.status,
            reason=row.reason,
            sample=row.sample_index,
            samples=row.sample_count,
            tf_first=row.tf_first,
            tf_last=row.tf_last,
            tfs=row.tf_count,
            size_bytes=row.size_bytes,
            hits=row.hits,
            simulated=row.stf.simulated,
            created=row.created_at,
            updated=row.updated_at,
        )
        for row in rows
    ]


SAMPLES = Listing(
    name="tf-files",
    text="TF sample files, the newest first.",
    rows=lambda: FastMonFile.objects.select_related("stf"),
    lines=_lines,
    line=SampleLine,
    filters={
        "namespace": of_namespace(),
        "run": of_run(),
        "stf": Filter(text="Sampled from this STF.", narrow=of_stf, namespace_of=namespace_of_stf),
        "status": words("In this state.", "status", WorkState),
        "name": Filter(text="Of this name.", lookup="name"),
    },
    orders=both("id"),
    indexed=tuple(frozenset(each) for each in (("name",), ("stf",), ("stf", "status"), ("run",), ("run", "status"))),
)
