"""Keeping the datasets of runs: the catalogue is brought to what the rows say, by names that can be looked up again."""

from __future__ import annotations

from itertools import groupby

from swf.catalog.port import Catalog, CatalogFile, DatasetName
from swf.core.effects import Boundary, no_boundary
from swf.core.names import dataset_name
from swf.core.times import Clock, Interval
from swf.core.work import WorkState
from swf.epic.models import StfFile
from swf.epic.run_settings import RunBook
from swf.messaging.turn import TurnFactory
from swf.store.models import Run

_INTERVAL_S = 0.5
_BATCH = 1000


class DatasetKeeper:
    """A reconciler: verified STFs that are not attached to their run's dataset are attached, many at a time."""

    def __init__(
        self, catalog: Catalog, namespace: str, clock: Clock, book: RunBook, boundary: Boundary = no_boundary
    ) -> None:
        self._catalog = catalog
        self._namespace = namespace
        self._book = book
        self._boundary = boundary
        self._interval = Interval(clock, _INTERVAL_S)

    def step(self, begin: TurnFactory) -> bool:
        if not self._interval.is_over():
            return False
        return self.attach_verified(begin)

    def attach_verified(self, begin: TurnFactory, run_number: int | None = None) -> bool:
        """Attach what waits, of one run or of all. Returns whether anything waited."""
        stfs = self.to_attach(run_number)
        for number, group in groupby(stfs, key=lambda stf: stf.run_id):
            files = list(group)
            dataset = self.name(number)
            self._catalog.create(dataset, namespace=self._namespace, run_number=number)
            self._boundary("dataset_created")
            self._catalog.attach(
                dataset, [CatalogFile(name=f.name, size_bytes=f.size_bytes, adler32=f.adler32) for f in files]
            )
            self._boundary("files_attached")
            with begin() as turn:
                StfFile.objects.filter(pk__in=[f.pk for f in files]).update(attached_at=turn.now)
        return bool(stfs)

    def to_attach(self, run_number: int | None = None) -> list[StfFile]:
        """The verified STFs that wait to be attached, of one run or of all, so many as are attached at one time."""
        waiting = StfFile.objects.filter(
            namespace=self._namespace,
            status=WorkState.COMPLETED,
            attached_at=None,
            has_content=True,
            # The dataset of a closed run takes no more files.
            run__closed_at=None,
        )
        if run_number is not None:
            waiting = waiting.filter(run_id=run_number)
        return list(waiting.order_by("run_id", "id")[:_BATCH])

    def close(self, begin: TurnFactory, run: Run) -> None:
        """Attach what is left of a run and close its dataset."""
        while self.attach_verified(begin, run.run_number):
            pass
        dataset = self.name(run.run_number)
        self._catalog.create(dataset, namespace=self._namespace, run_number=run.run_number)
        self._catalog.close(dataset)
        self._boundary("dataset_closed")

    def name(self, run_number: int) -> DatasetName:
        """The name of a run's dataset."""
        return DatasetName(scope=self._book.settings(run_number).scope, name=dataset_name(run_number))
