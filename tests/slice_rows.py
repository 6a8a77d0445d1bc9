"""Runs with STFs, sample files and slices as rows, for tests of what is done with them."""

from __future__ import annotations

from swf.core.ids import IdSource
from swf.core.times import Clock
from swf.core.work import WorkState
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.epic.names import slice_name, stf_name, tf_sample_name
from swf.store.models import Run


def make_run(number: int, clock: Clock, namespace: str = "testbed") -> Run:
    """A run without STFs."""
    run = Run.objects.create(run_number=number, namespace=namespace, start_time=clock.now())
    RunState.objects.create(run=run, state_changed_at=clock.now(), updated_at=clock.now())
    return run


def make_stf(run: Run, sequence: int, clock: Clock, ids: IdSource, status: WorkState = WorkState.COMPLETED) -> StfFile:
    """An STF of a run."""
    return StfFile.objects.create(
        name=stf_name(run.run_number, sequence),
        namespace=run.namespace,
        run=run,
        run_number=run.run_number,
        status=status,
        req_id=ids.new(),
        created_at=clock.now(),
        updated_at=clock.now(),
        sequence=sequence,
        tf_count=1000,
        tf_first=0,
        size_bytes=10,
        adler32="0" * 8,
        sha256="0" * 64,
        daq_state="run",
        daq_substate="physics",
    )


def make_slices(run: Run, count: int, clock: Clock, ids: IdSource, sequence: int = 1) -> list[TfSlice]:
    """An STF of a run, its sample file, and so many queued slices of it."""
    stf = make_stf(run, sequence, clock, ids)
    stf.sample_count, stf.slice_count = 1, count
    stf.save()
    sample = FastMonFile.objects.create(
        name=tf_sample_name(stf.name, 1),
        namespace=run.namespace,
        run_number=run.run_number,
        status=WorkState.COMPLETED,
        req_id=ids.new(),
        created_at=clock.now(),
        updated_at=clock.now(),
        stf=stf,
        sample_index=1,
        sample_count=1,
        tf_first=0,
        tf_last=count - 1,
        tf_count=count,
    )
    RunState.objects.filter(pk=run.pk).update(slices_created=count, slices_queued=count)
    return [
        TfSlice.objects.create(
            name=slice_name(stf.name, index),
            namespace=run.namespace,
            run_number=run.run_number,
            req_id=ids.new(),
            created_at=clock.now(),
            updated_at=clock.now(),
            stf=stf,
            fastmon_file=sample,
            slice_id=index,
            tf_first=index,
            tf_last=index,
            tf_count=1,
        )
        for index in range(count)
    ]
