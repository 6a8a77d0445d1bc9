"""Closing runs: a run is closed when its ledger balances, not when a message arrives."""

from __future__ import annotations

from swf.core.times import Clock
from swf.core.work import UNFINISHED
from swf.epic.accounting import ledger_of
from swf.epic.datasets import DatasetKeeper
from swf.epic.models import FastMonFile, SliceRetry, StfFile, TfSlice
from swf.messaging.turn import TurnFactory
from swf.store.models import Run

_INTERVAL_S = 0.2

_REST = 10.0
"""How many times as long as a look took the closer rests after it: the account of a large run takes seconds."""


class RunCloser:
    """A reconciler: an ended run whose units are all final gets its dataset closed, and is closed itself."""

    def __init__(self, namespace: str, clock: Clock, datasets: DatasetKeeper) -> None:
        self._namespace = namespace
        self._clock = clock
        self._datasets = datasets
        self._due = 0.0

    def step(self, begin: TurnFactory) -> bool:
        if self._clock.monotonic() < self._due:
            return False
        began = self._clock.monotonic()
        ended = Run.objects.filter(namespace=self._namespace, closed_at=None, end_time__isnull=False)
        closed = [self._try_to_close(begin, run) for run in ended.order_by("run_number")]
        now = self._clock.monotonic()
        self._due = now + max(_INTERVAL_S, _REST * (now - began))
        return any(closed)

    def _try_to_close(self, begin: TurnFactory, run: Run) -> bool:
        # Cheap questions spare the whole ledger while work goes on.
        number = run.run_number
        if _goes_on(number):
            return False
        if StfFile.objects.filter(run_id=number).count() < (run.total_stf_files or 0):
            return False
        ledger = ledger_of(number)
        if not ledger.balanced:
            return False
        self._datasets.close(begin, run)
        with begin() as turn:
            # The row is locked: a retry is wished before that, and seen here, or refused because the run is closed.
            still_open = Run.objects.select_for_update().filter(pk=number, closed_at=None).first()
            if _goes_on(number):
                return False
            if still_open is not None:
                Run.objects.filter(pk=number).update(closed_at=turn.now)
                turn.note("run_closed", f"run {number}", number, produced=ledger.produced, complete=ledger.complete)
        return True


def _goes_on(run_number: int) -> bool:
    """Whether an item of a run is not final, or is not to stay so."""
    models: tuple[type[TfSlice] | type[FastMonFile] | type[StfFile], ...] = (TfSlice, FastMonFile, StfFile)
    if any(model._default_manager.filter(run_number=run_number, status__in=UNFINISHED).exists() for model in models):
        return True
    return SliceRetry.objects.filter(slice__run_number=run_number).exists()
