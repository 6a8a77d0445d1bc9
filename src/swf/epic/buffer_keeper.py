"""The DAQ's exit buffer: what it holds, what leaves it, and the alarm when it is full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import F, Max, QuerySet, Sum

from swf.core.effects import Boundary, no_boundary
from swf.core.errors import StorageError
from swf.core.times import Clock
from swf.epic.daq.exit_buffer import BufferedFile, Departure, ExitBufferPolicy, decide
from swf.epic.models import StfFile
from swf.epic.settings_daq import ExitBufferSection
from swf.store import alarms
from swf.store.models import Run, WorkflowExecution

ALARM_KEY = "exit_buffer"

_RECOUNT_S = 60.0
"""After so long all are counted again: others remove files, and a row may come behind one with a higher number."""

_OLDEST = 256
"""How many files are looked at first where a new STF needs space; most often one of them is enough."""


def runs_by_buffer(runs: Iterable[Run], default_folder: Path) -> dict[tuple[Path, ExitBufferPolicy], list[int]]:
    """Runs by the exit buffer that they were written to, and by how it was to be kept."""
    runs = list(runs)
    executions = WorkflowExecution.objects.filter(pk__in={run.execution_id for run in runs})
    parameters = dict(executions.values_list("execution_id", "parameter_values"))
    buffers: dict[tuple[Path, ExitBufferPolicy], list[int]] = defaultdict(list)
    for run in runs:
        section = ExitBufferSection.model_validate(parameters.get(run.execution_id, {}).get("exit_buffer", {}))
        buffers[section.path or default_folder, policy_of(section)].append(run.run_number)
    return buffers


def policy_of(section: ExitBufferSection) -> ExitBufferPolicy:
    """The policy of an exit buffer, as it is configured."""
    return ExitBufferPolicy(
        capacity_bytes=int(section.capacity_gb * 1e9), retention=timedelta(hours=section.retention_hours)
    )


class BufferKeeper:
    """Keeps one folder within its capacity. A file leaves only where nothing would be lost.

    `runs` are those whose STFs lie in the folder; None means all that the store knows.
    """

    def __init__(
        self,
        folder: Path,
        policy: ExitBufferPolicy,
        namespace: str,
        clock: Clock,
        runs: Collection[int] | None = None,
        boundary: Boundary = no_boundary,
    ) -> None:
        self._runs = runs
        self._folder = folder
        self._policy = policy
        self._namespace = namespace
        self._clock = clock
        self._boundary = boundary
        self._counted: _Counted | None = None
        self._recount_at = 0.0

    def used_bytes(self) -> int:
        """What the announced STFs in the folder take."""
        return _counted(self._held()).size_bytes

    def refusal(self, incoming_bytes: int, unregistered_bytes: int = 0) -> str:
        """Make room for a new STF where that is allowed. Returns why it does not fit, or nothing.

        `unregistered_bytes` are taken by STFs that were announced and have no row yet.
        """
        used = self._used_at_most()
        if used + unregistered_bytes + incoming_bytes <= self._policy.capacity_bytes:
            return ""
        now, held = self._clock.now(), self._held()
        oldest = _files(held.filter(run__closed_at__isnull=False).order_by("created_at", "name")[:_OLDEST])
        others = used - sum(file.size_bytes for file in oldest)
        files = [*oldest, _staying("all others", others + unregistered_bytes, now)]
        decision = decide(self._policy, files, now, incoming_bytes=incoming_bytes)
        if not decision.fits:
            # Before the DAQ has to pause, every file is looked at as it is now.
            self._counted = None
            files = [*_files(held), _staying("what is announced and not registered yet", unregistered_bytes, now)]
            decision = decide(
                self._policy, files if unregistered_bytes else files[:-1], now, incoming_bytes=incoming_bytes
            )
        self._remove(decision.leave)
        return decision.alarm

    def prune(self, older_than: timedelta | None = None, *, dry_run: bool = False) -> tuple[Departure, ...]:
        """Remove what is beyond its retention (or `older_than`) and may leave. Returns what left, or would."""
        policy = ExitBufferPolicy(
            capacity_bytes=self._policy.capacity_bytes,
            retention=self._policy.retention if older_than is None else older_than,
        )
        decision = decide(policy, _files(self._held()), self._clock.now())
        if not dry_run:
            self._remove(decision.leave)
        return decision.leave

    def raise_alarm(self, run_number: int, why: str, now: datetime) -> None:
        """Say that the DAQ cannot write, and that its run is paused."""
        alarms.raise_alarm(
            self._namespace,
            ALARM_KEY,
            text=f"run {run_number} is paused until an STF fits: {why}",
            what_to_do="testbed runs prune",
            severity="error",
            run_number=run_number,
            now=now,
        )

    def clear_alarm(self, now: datetime) -> None:
        """The DAQ can write again."""
        alarms.clear(self._namespace, ALARM_KEY, now)

    def _used_at_most(self) -> int:
        """As `used_bytes`, or more where others removed files just now; it costs as much as what is new."""
        now = self._clock.monotonic()
        if self._counted is not None and now < self._recount_at:
            return self._counted.size_bytes + _counted(self._held().filter(pk__gt=self._counted.last)).size_bytes
        self._counted, self._recount_at = _counted(self._held()), now + _RECOUNT_S
        return self._counted.size_bytes

    def _remove(self, departures: tuple[Departure, ...]) -> None:
        for departure in departures:
            try:
                (self._folder / departure.name).unlink(missing_ok=True)
            except OSError as error:
                raise StorageError(f"{self._folder / departure.name} cannot be removed: {error.strerror}") from error
            self._boundary("file_removed")
        if self._counted is not None:
            left = sum(departure.size_bytes for departure in departures)
            self._counted = _Counted(last=self._counted.last, size_bytes=self._counted.size_bytes - left)
        names = [departure.name for departure in departures]
        StfFile.objects.filter(name__in=names).update(removed_at=self._clock.now())

    def _held(self) -> QuerySet[StfFile]:
        held = StfFile.objects.filter(removed_at=None, has_content=True).order_by()
        if self._runs is None:
            return held
        # The sum keeps SQLite from going run by run: the index of what is in buffers answers all that is asked here.
        return held.alias(of_run=F("run_id") + 0).filter(of_run__in=self._runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """The newest row of the STFs in the folder, and what they take."""

    last: int
    size_bytes: int


def _counted(held: QuerySet[StfFile]) -> _Counted:
    found = held.aggregate(last=Max("id"), size_bytes=Sum("size_bytes"))
    return _Counted(last=found["last"] or 0, size_bytes=int(found["size_bytes"] or 0))


def _files(held: QuerySet[StfFile]) -> list[BufferedFile]:
    return [
        BufferedFile(
            name=row["name"],
            size_bytes=row["size_bytes"],
            created=row["created_at"],
            archived=False,
            run_closed=row["run__closed_at"] is not None,
            archive_required=False,
        )
        for row in held.values("name", "size_bytes", "created_at", "run__closed_at")
    ]


def _staying(name: str, size_bytes: int, now: datetime) -> BufferedFile:
    """Files that are not looked at one by one, as one that may not leave."""
    return BufferedFile(
        name=name,
        size_bytes=size_bytes,
        created=now,
        archived=False,
        run_closed=False,
        archive_required=False,
    )
