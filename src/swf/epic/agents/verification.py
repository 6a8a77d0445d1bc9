"""Verifying STFs: the file in the exit buffer is what the DAQ announced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from swf.core.errors import DataError
from swf.core.times import Clock
from swf.epic.agents.file_work import FileTask, FileWork
from swf.epic.messages import EPIC_TOPIC
from swf.epic.models import StfFile
from swf.epic.ready import stf_ready_of
from swf.epic.run_files import RunFiles
from swf.epic.run_settings import execution_ids
from swf.messaging.turn import Turn
from swf.service.io_pool import IoPool
from swf.storage.checksums import facts_of
from swf.store.work import WorkMoves


def verifier(*, files: RunFiles, io: IoPool, clock: Clock, lease_s: float) -> FileWork[StfFile]:
    """The reconciler that verifies queued STFs in the exit buffers of their runs."""
    task = FileTask(
        owner="verify",
        model=StfFile,
        start=lambda stf: (verify, (files.buffer(stf.run_id) / stf.name, stf.size_bytes, stf.adler32, stf.sha256)),
        finish=_verified,
    )
    return FileWork(task, io=io, clock=clock, lease_s=lease_s)


def verify(path: Path, size_bytes: int, adler32: str, sha256: str) -> None:
    """Read a file once and compare it with what was announced.

    Raises:
        DataError: it has another size or checksum.
        StorageError: it cannot be read now.
    """
    facts = facts_of(path)
    for what, announced, found in (
        ("bytes", size_bytes, facts.size_bytes),
        ("adler32", adler32, facts.adler32),
        ("sha256", sha256, facts.sha256),
    ):
        if announced != found:
            raise DataError(f"{path}: announced with {what} {announced}, but has {found}: truncated or corrupted")


def _verified(turn: Turn, moves: WorkMoves, done: Sequence[tuple[StfFile, None]]) -> Sequence[str]:
    executions = execution_ids({stf.run_id for stf, _ in done})
    for stf, _ in done:
        moves.complete(stf)
        turn.send(EPIC_TOPIC, stf_ready_of(stf, executions.get(stf.run_id)))
    return ()
