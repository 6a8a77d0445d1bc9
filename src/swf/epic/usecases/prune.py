"""Making room in exit buffers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from swf.core.times import Clock
from swf.epic.buffer_keeper import BufferKeeper, runs_by_buffer
from swf.epic.models import StfFile
from swf.store.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedFile:
    """An STF that left its exit buffer, or would."""

    name: str
    size_bytes: int
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What left the exit buffers, or would: `dry_run` says which. `kept` counts STFs that stay, for their age or
    because something would be lost."""

    dry_run: bool
    files: tuple[PrunedFile, ...]
    bytes: int
    kept: int

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values."""
        return {**asdict(self), "files": [asdict(file) for file in self.files]}


def prune(
    default_folder: Path,
    clock: Clock,
    *,
    older_than: timedelta | None = None,
    dry_run: bool = False,
    namespace: str | None = None,
) -> Pruned:
    """Remove STFs from the exit buffer that were kept long enough and that nobody needs any more.

    An STF leaves only when its run is closed, and when it is older than `older_than`, or than the retention with which
    its run was taken (72 h by default).

    Args:
        default_folder: the exit buffer of runs whose configuration names no other.
        clock: the present.
        older_than: the age, in place of each run's own retention.
        dry_run: only say what would be removed.
        namespace: only runs of this namespace; None means any.

    Raises:
        StorageError: a file cannot be removed.
    """
    files: list[PrunedFile] = []
    held = StfFile.objects.filter(removed_at=None, has_content=True)
    runs = Run.objects.filter(pk__in=held.values("run_id"))
    if namespace is not None:
        runs, held = runs.filter(namespace=namespace), held.filter(namespace=namespace)
    before = held.count()
    for (folder, policy), numbers in runs_by_buffer(runs, default_folder).items():
        keeper = BufferKeeper(folder, policy, namespace or "", clock, runs=numbers)
        left = keeper.prune(older_than, dry_run=dry_run)
        files += [PrunedFile(name=gone.name, size_bytes=gone.size_bytes, folder=str(folder)) for gone in left]
    return Pruned(
        dry_run=dry_run, files=tuple(files), bytes=sum(file.size_bytes for file in files), kept=before - len(files)
    )
