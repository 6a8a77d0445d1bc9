"""The data directory: whether it can be written, has room, and keeps its secrets."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swf.service.containers import environment_file
from swf.service.doctor.finding import Finding, failed, ok, warning
from swf.service.workspace import Workspace

_LEAST_BYTES: Final = 500_000_000
"""With less than this free, the store and logs are in danger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferPlan:
    """What the configuration says of the exit buffer."""

    folder: Path
    capacity_bytes: int


def findings(workspace: Workspace, buffer: BufferPlan) -> Iterator[Finding]:
    """What is said of the data directory."""
    subject = "data directory"
    root = workspace.root
    if not root.is_dir():
        yield warning(subject, f"there is none at {root}", "make it: testbed init, or testbed run; or say --data-dir")
        return
    try:
        with tempfile.TemporaryFile(dir=root) as probe:
            probe.write(b"x")
    except OSError as error:
        advice = "free space, see who may write there, or choose another with --data-dir"
        yield failed(subject, f"{root} cannot be written: {error.strerror}", advice)
        return
    yield ok(subject, f"{root} can be written")
    yield _space(root, buffer)
    yield from _secrets(workspace)


def _space(root: Path, buffer: BufferPlan) -> Finding:
    subject = "free space"
    folder = buffer.folder if buffer.folder.is_dir() else root
    used = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) if folder is buffer.folder else 0
    free, wanted = shutil.disk_usage(folder).free, max(buffer.capacity_bytes - used, 0)
    found = f"{_gb(free)} at {folder}; the exit buffer may take {_gb(wanted)} more of its {_gb(buffer.capacity_bytes)}"
    least = min(free, shutil.disk_usage(root).free)
    if least < _LEAST_BYTES:
        return failed(subject, found, "free some: runs pause, and the store cannot be written, when the disk is full")
    if free < wanted:
        return warning(subject, found, "free some, or set [exit_buffer] capacity_gb to what is there")
    return ok(subject, found)


def _secrets(workspace: Workspace) -> Iterator[Finding]:
    subject = "secrets"
    files = [workspace.service_file, environment_file(workspace), workspace.root / "servers.json"]
    there = [path for path in files if path.is_file()]
    open_to_others = [path for path in there if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if open_to_others:
        names = " ".join(str(path) for path in open_to_others)
        yield failed(subject, f"others may read {names}", f"chmod 600 {names}, and change the passwords in it")
    elif there:
        yield ok(subject, f"{', '.join(path.name for path in there)}: for their owner only")


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
