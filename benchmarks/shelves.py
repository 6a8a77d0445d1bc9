"""A store filled by the database itself with runs that were taken long ago, each of so many STFs of 15 slices.

The rows are those that runs leave in the tables of runs, STFs, samples and slices; of the event log, the three messages
about each STF and its sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.execution import SLICES

NAMESPACE = "bench"
FIRST_RUN = 100_001
STF_BYTES = 2 * 10**9

_ONE_FAILED_OF = 1000
_RUN = "%(run)s"
_PADDED = "substr(CAST(1000000 + {n} AS text), 2)"
_STEM = f"'swf.' || CAST({_RUN} AS text) || '.' || {_PADDED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """How much there is."""

    runs: int
    stfs: int
    """Of each run."""

    @property
    def numbers(self) -> range:
        """The runs; the last one has ended and is not closed."""
        return range(FIRST_RUN, FIRST_RUN + self.runs)

    @property
    def good(self) -> int:
        """STFs of each run that were verified; the others failed."""
        return self.stfs - -(-self.stfs // _ONE_FAILED_OF)


def fill(shelves: Shelves, now: datetime) -> None:
    """Fill an empty store."""
    from django.db import connection, transaction

    from swf.store.models import WorkflowDefinition

    definition = WorkflowDefinition.objects.create(
        workflow_name="fast_processing",
        version="1",
        workflow_type="fast_processing",
        definition="",
        digest="0" * 64,
        created_by="bench",
        created_at=now,
    )
    for index, run in enumerate(shelves.numbers):
        with transaction.atomic():
            _run(run, definition, shelves, now, closed=run != shelves.numbers[-1])
            _units(run, index, shelves.stfs, now - timedelta(hours=shelves.runs - index))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as the server does by itself, in its own time


def _run(run: int, definition: Any, shelves: Shelves, now: datetime, *, closed: bool) -> None:
    from swf.epic.models import RunState
    from swf.store.models import Run, WorkflowExecution

    execution = f"fast_processing-bench-{run}"
    WorkflowExecution.objects.create(
        execution_id=execution,
        workflow_definition=definition,
        namespace=NAMESPACE,
        status="completed" if closed else "running",
        start_time=now,
        executed_by="bench",
        run_number=run,
    )
    Run.objects.create(
        run_number=run,
        namespace=NAMESPACE,
        execution_id=execution,
        start_time=now,
        end_time=now,
        total_stf_files=shelves.stfs,
        closed_at=now if closed else None,
        simulated=True,
    )
    RunState.objects.create(
        run_id=run,
        phase="completed",
        stf_registered=shelves.stfs,
        slices_created=shelves.good * SLICES,
        slices_completed=shelves.good * SLICES,
        state_changed_at=now,
        updated_at=now,
    )


def _units(run: int, index: int, stfs: int, now: datetime) -> None:
    """The STFs, samples, slices and messages of a run; the last one's STFs are not in a dataset yet."""
    from swf.epic.models import FastMonFile, StfFile, TfSlice
    from swf.store.models import Event

    # Every first of a thousand failed its verification, and has neither sample nor slices.
    status = f"CASE WHEN i %% {_ONE_FAILED_OF} = 0 THEN 'failed' ELSE 'completed' END"
    good = f"CASE WHEN i %% {_ONE_FAILED_OF} = 0 THEN 0 ELSE 1 END"
    stf, closed = f"{index * stfs} + i + 1", "(SELECT closed_at FROM store_run WHERE run_number = %(run)s)"
    common = {"namespace": f"'{NAMESPACE}'", "run_number": _RUN, "created_at": "%(now)s", "updated_at": "%(now)s"}
    begin = {"stem": _STEM.format(n="i + 1"), "part": _STEM.format(n=f"i / {SLICES} + 1")}
    insert = _Insertion(run=run, now=now)
    insert(
        StfFile,
        stfs,
        common,
        id=stf,
        req_id=_uuid(1, stf),
        name=f"{begin['stem']} || '.stf'",
        run=_RUN,
        sequence="i + 1",
        status=status,
        reason="''",
        tf_count="1000",
        tf_first="i * 1000",
        size_bytes=str(STF_BYTES),
        adler32="'00000000'",
        sha256=f"'{'0' * 64}'",
        simulated="TRUE",
        daq_state="'run'",
        daq_substate="'physics'",
        sample_count=f"CASE WHEN {good} = 1 THEN 1 END",
        slice_count=f"CASE WHEN {good} = 1 THEN {SLICES} END",
        attached_at=f"CASE WHEN {good} = 1 THEN {closed} END",
    )
    insert(
        FastMonFile,
        stfs,
        common,
        where=f"{good} = 1",
        id=stf,
        req_id=_uuid(2, stf),
        name=f"{begin['stem']} || '_tf_001.tf'",
        status="'completed'",
        stf=stf,
        sample_index="1",
        sample_count="1",
        tf_first="0",
        tf_last="99",
        tf_count="100",
    )
    slice_id, of_stf = f"{index * stfs * SLICES} + i + 1", f"{index * stfs} + i / {SLICES} + 1"
    insert(
        TfSlice,
        stfs * SLICES,
        common,
        where=f"(i / {SLICES}) %% {_ONE_FAILED_OF} <> 0",
        id=slice_id,
        req_id=_uuid(3, slice_id),
        name=f"{begin['part']} || '_slice_' || substr(CAST(1000 + i %% {SLICES} AS text), 2) || '.tf'",
        status="'completed'",
        attempt="1",
        lease_holder="'worker-agent-bench-1'",
        stf=of_stf,
        fastmon_file=of_stf,
        slice_id=f"i %% {SLICES}",
        tf_first="0",
        tf_last="6",
        tf_count="7",
        completed_at="%(now)s",
    )
    endings = {"stf_gen": ".stf", "stf_ready": ".stf", "tf_file_registered": "_tf_001.tf"}
    for number, (kind, ending) in enumerate(endings.items()):
        message = f"{(index * 3 + number) * stfs} + i + 1"
        insert(
            Event,
            stfs,
            {name: common[name] for name in ("namespace", "run_number", "created_at")},
            seq=message,
            kind="'message'",
            type=f"'{kind}'",
            subject=f"{begin['stem']} || '{ending}'",
            sender="'data-agent-bench-1'",
            message_id=_uuid(4, message),
            body="'{}'",
        )


class _Insertion:
    """Inserts rows that the database makes of the numbers from 0."""

    def __init__(self, *, run: int, now: datetime) -> None:
        from django.db import connection

        self._values = {"run": run, "now": connection.ops.adapt_datetimefield_value(now)}

    def __call__(self, model: Any, count: int, common: dict[str, str], where: str = "", **expressions: str) -> None:
        """`count` rows whose fields have these SQL expressions of `i`; all others have the model's defaults."""
        from django.db import connection

        given = {**common, **expressions}
        values = {**self._values, "count": count}
        columns = []
        for field in model._meta.concrete_fields:
            if field.name not in given and not field.primary_key:
                values[f"default_{field.name}"] = field.get_db_prep_save(field.get_default(), connection)
                given[field.name] = f"%(default_{field.name})s"
            if field.name in given:
                columns.append((field.column, given[field.name]))
        names, made = (", ".join(part) for part in zip(*columns, strict=True))
        sql = (
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %(count)s) "
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT {made} FROM n"
        )
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} WHERE {where}" if where else sql, values)


def _uuid(kind: int, number: str) -> str:
    from django.db import connection

    digits = f"'{kind:016d}' || substr(CAST(10000000000000000 + {number} AS text), 2)"
    return f"CAST({digits} AS uuid)" if connection.vendor == "postgresql" else digits
