"""Atomic writes: a file appears under its name complete and on disk, or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from swf.core.effects import Boundary, no_boundary
from swf.storage.failures import cannot_write

_TEMPORARY: Final = re.compile(r"\..+\.[0-9a-f]{8}\.part\Z")


@contextmanager
def atomic_file(path: Path, *, boundary: Boundary = no_boundary) -> Iterator[Path]:
    """Give the path of a temporary file in the folder of `path`; on leaving, sync it and rename it to `path`.

    The folder is made if it is missing. A file that is there already is replaced. On an error the temporary file is
    removed and `path` is as it was; a process that is killed leaves at most a temporary file (`sweep_temporaries`).
    The effect boundaries are `written`, `synced` and `renamed`.

    Raises:
        StorageError: it cannot be written: disk full, read-only, over quota, no permission ...
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            boundary("written")
            _sync(temporary, os.O_RDWR)
            boundary("synced")
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        boundary("renamed")
    except OSError as error:
        raise cannot_write(path, error) from error


def sweep_temporaries(folder: Path, prefix: str = "") -> int:
    """Remove the temporary files that killed processes left in `folder`; returns how many.

    Only where nobody is writing into the folder, or nobody files whose names begin with `prefix`.

    Raises:
        StorageError: one cannot be removed.
    """
    swept = 0
    try:
        if not folder.is_dir():
            return 0
        for path in folder.iterdir():
            if path.name.startswith(f".{prefix}") and _TEMPORARY.match(path.name):
                path.unlink(missing_ok=True)
                swept += 1
    except OSError as error:
        raise cannot_write(folder, error) from error
    return swept


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
