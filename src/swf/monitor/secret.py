"""The secret with which the monitor signs cookies and forms: made once per data directory, read by its owner only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from swf.core.errors import StorageError
from swf.storage.failures import cannot_write


def secret_of(path: Path) -> str:
    """The secret in a file, which is made where it is not there. Of several processes that make it, one does.

    Raises:
        StorageError: it cannot be read or written.
    """
    try:
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise cannot_write(path, error) from error
    except UnicodeDecodeError:
        text = ""
    if len(text) < 40:
        raise StorageError(
            f"{path} is not the monitor's secret: remove it, and a new one is made; all have to log in again"
        )
    return text


def _make(path: Path) -> None:
    own = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(own, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(descriptor)
        # A link appears whole, and never takes the place of one that another process has made meanwhile.
        with contextlib.suppress(FileExistsError):
            os.link(own, path)
    finally:
        own.unlink(missing_ok=True)
