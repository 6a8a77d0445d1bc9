"""Datasets and the files attached to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter, instant, words
from swf.store.listing import Listing, both
from swf.store.models import Dataset, DatasetFile


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLine(Shown):
    """A dataset in one line; `dataset` is its scope and name with a colon between them."""

    dataset: str
    scope: str
    name: str
    namespace: str
    run: int | None
    state: str
    created: datetime
    closed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDetail(Shown):
    """A dataset with what is attached to it."""

    dataset: str
    scope: str
    name: str
    namespace: str
    run: int | None
    state: str
    created: datetime
    closed: datetime | None
    files: int
    bytes: int
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFileLine(Shown):
    """A file attached to a dataset."""

    id: int
    dataset: str
    name: str
    size_bytes: int
    adler32: str
    attached: datetime


def show_dataset(name: str, scene: Scene) -> DatasetDetail:
    """A dataset by `scope:name`.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = _named(Dataset.objects.all(), name).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no dataset {name[:100]!r} {here(scene.namespaces)}")
    (line,) = _lines([row], scene)
    attached = row.files.aggregate(number=Count("id"), bytes=Sum("size_bytes"))
    return DatasetDetail(
        **{field: getattr(line, field) for field in DatasetLine.__slots__},
        files=attached["number"],
        bytes=int(attached["bytes"] or 0),
        metadata=row.metadata,
    )


def _named(rows: QuerySet[Any], name: str, prefix: str = "") -> QuerySet[Any]:
    scope, _, plain = name.partition(":")
    return rows.filter(**{f"{prefix}scope": scope, f"{prefix}name": plain})


def _namespace_of(name: str) -> str | None:
    return _named(Dataset.objects.all(), name).values_list("namespace", flat=True).first()


def _files_of(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    # The key is looked up first, so that the files are found by it, and by nothing else.
    pk = _named(Dataset.objects.all(), name).values_list("pk", flat=True).first()
    return rows.none() if pk is None else rows.filter(dataset_id=pk)


def _lines(rows: Sequence[Dataset], scene: Scene) -> list[DatasetLine]:
    return [
        DatasetLine(
            dataset=str(row),
            scope=row.scope,
            name=row.name,
            namespace=row.namespace,
            run=row.run_number,
            state=row.state,
            created=row.created_at,
            closed=row.closed_at,
        )
        for row in rows
    ]


def _file_lines(rows: Sequence[DatasetFile], scene: Scene) -> list[DatasetFileLine]:
    return [
        DatasetFileLine(
            id=row.pk,
            dataset=str(row.dataset),
            name=row.name,
            size_bytes=row.size_bytes,
            adler32=row.adler32,
            attached=row.attached_at,
        )
        for row in rows
    ]


DATASETS = Listing(
    name="datasets",
    text="Datasets, the newest first.",
    rows=Dataset.objects.all,
    lines=_lines,
    line=DatasetLine,
    filters={
        "namespace": of_namespace(),
        "run": of_run(),
        "state": words("In this state.", "state", Dataset.State.values),
        "scope": Filter(text="Of this scope.", lookup="scope"),
        "name": Filter(text="Of this name, without the scope.", lookup="name"),
        "since": instant("Made at this instant or later.", "created_at__gte"),
        "until": instant("Made before this instant.", "created_at__lt"),
    },
    orders=both("id"),
)

DATASET_FILES = Listing(
    name="dataset-files",
    text="Files attached to datasets: those of one dataset by name, or all of them, the newest first.",
    rows=lambda: DatasetFile.objects.select_related("dataset"),
    lines=_file_lines,
    line=DatasetFileLine,
    filters={
        "dataset": Filter(text="Attached to this dataset, scope:name.", narrow=_files_of, namespace_of=_namespace_of),
        "name": Filter(text="Of this name.", lookup="name"),
    },
    orders={
        **both("name", newest_first=False, needs=frozenset({"dataset"})),
        **both("id", bars=frozenset({"dataset"})),
    },
    namespace="dataset__namespace",
    indexed=(frozenset({"dataset"}), frozenset({"dataset", "name"})),
)
