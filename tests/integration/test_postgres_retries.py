"""A retry is wished for while the run is closed: either the closing sees the wish, or the wish is refused."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from django.db import connection, transaction

from epic_bench import NAMESPACE
from messaging_bench import Bench, Writer, writer_agent
from swf.catalog.local import LocalCatalog
from swf.core.errors import IllegalMoveError
from swf.core.scene import Scene
from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.epic.closing import RunCloser
from swf.epic.datasets import DatasetKeeper
from swf.epic.models import SliceRetry, TfSlice
from swf.epic.run_settings import RunBook
from swf.epic.usecases.retries import RetryRequest, retry_slices
from swf.store.models import Dataset, Run
from taken_run import NOW, RUN, TakenRun

pytestmark = pytest.mark.database("postgresql")


@pytest.fixture
def failed(store: Path) -> TfSlice:
    """The one slice of a run that has ended, and that nothing but a wish keeps from being closed."""
    taken = TakenRun()
    taken.started()
    item = taken.slice(taken.sample(taken.stf(1, slice_count=1)), 0, WorkState.FAILED, attempt=4, retries=3)
    taken.ended(1)
    return item


def beside(act: Callable[[], Any], meanwhile: Callable[[], object]) -> Future[Any]:
    """Let another session act while this one holds the run's row; when the other one waits, `meanwhile`, and commit."""
    pids: SimpleQueue[int] = SimpleQueue()

    def other() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.put(cursor.fetchone()[0])
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=RUN)
            future = thread.submit(other)
            _until_it_waits(pids.get(timeout=60))
            meanwhile()
        future.exception(timeout=60)
    return future


def _until_it_waits(pid: int) -> None:
    for _ in range(100_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [pid])
            if cursor.fetchone() == (1,):
                return
    raise AssertionError("the other session does not wait")


def wish() -> RetryRequest:
    return retry_slices(RUN, [], "ann", "", Scene(now=NOW))


def test_a_wish_behind_the_closing_is_refused(failed: TfSlice) -> None:
    future = beside(wish, lambda: Run.objects.filter(pk=RUN).update(closed_at=NOW))
    with pytest.raises(IllegalMoveError, match="is closed"):
        future.result()
    assert not SliceRetry.objects.exists()


def test_a_closing_behind_a_wish_sees_it(failed: TfSlice) -> None:
    clock = ManualClock()
    runtime = Bench("embedded", namespace=NAMESPACE).runtime(writer_agent(Writer()))
    # Its dataset is closed already, as by a closer that was ended then: what is left is the run's own row.
    Dataset.objects.create(
        scope="group.daq", name=f"swf.{RUN}.run", namespace=NAMESPACE, created_at=NOW, state="closed"
    )
    failed.stf.has_content = False
    failed.stf.save()
    closer = RunCloser(NAMESPACE, clock, DatasetKeeper(LocalCatalog(clock), NAMESPACE, clock, RunBook()))
    future = beside(lambda: closer.step(runtime.turn), wish)
    assert future.result() is False
    assert Run.objects.get(pk=RUN).closed_at is None
    assert SliceRetry.objects.get().slice_id == failed.pk
    # When the wish is gone, it is closed.
    SliceRetry.objects.all().delete()
    clock.advance(60)
    assert closer.step(runtime.turn) is True
    assert Run.objects.get(pk=RUN).closed_at is not None
