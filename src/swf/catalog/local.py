"""The local catalogue: datasets are rows of the store."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from swf.catalog.port import CatalogFile, DatasetName, DatasetView
from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.times import Clock
from swf.store import bulk
from swf.store.models import Dataset, DatasetFile


class LocalCatalog:
    """For the embedded mode and for tests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def create(self, dataset: DatasetName, *, namespace: str, run_number: int | None) -> None:
        Dataset.objects.get_or_create(
            scope=dataset.scope,
            name=dataset.name,
            defaults={"namespace": namespace, "run_number": run_number, "created_at": self._clock.now()},
        )

    def attach(self, dataset: DatasetName, files: Sequence[CatalogFile]) -> None:
        with transaction.atomic():
            row = self._row(dataset)
            if row.state == Dataset.State.CLOSED:
                attached = set(row.files.values_list("name", flat=True))
                late = [file.name for file in files if file.name not in attached]
                if late:
                    raise IllegalMoveError(
                        f"the dataset {dataset} is closed and cannot take {', '.join(late[:3])}"
                        f"{' and more' if len(late) > 3 else ''}; open a new one for late files"
                    )
                return
            now = self._clock.now()
            rows = [
                {
                    "dataset_id": row.pk,
                    "name": file.name,
                    "size_bytes": file.size_bytes,
                    "adler32": file.adler32,
                    "attached_at": now,
                }
                for file in files
            ]
            bulk.insert(DatasetFile, rows, or_ignore=True)

    def close(self, dataset: DatasetName) -> None:
        row = self._row(dataset)
        if row.state == Dataset.State.OPEN:
            row.state, row.closed_at = Dataset.State.CLOSED, self._clock.now()
            row.save(update_fields=["state", "closed_at"])

    def look(self, dataset: DatasetName) -> DatasetView | None:
        row = Dataset.objects.filter(scope=dataset.scope, name=dataset.name).first()
        if row is None:
            return None
        return DatasetView(dataset=dataset, is_open=row.state == Dataset.State.OPEN, files=row.files.count())

    @staticmethod
    def _row(dataset: DatasetName) -> Dataset:
        try:
            return Dataset.objects.get(scope=dataset.scope, name=dataset.name)
        except Dataset.DoesNotExist:
            raise UnknownNameError(f"the catalogue has no dataset {dataset}") from None
