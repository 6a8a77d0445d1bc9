"""The end of a log file, as it is shown to a person whose program did not start."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Final

_BYTES: Final = 16_384
_LINE: Final = 300


def log_tail(path: Path, lines: int = 8, wanted: Callable[[str], bool] = bool) -> list[str]:
    """The last lines that are wanted and not empty, of those that come again at once only one; none where there is no
    file."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _BYTES, 0))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    kept = (line.rstrip()[:_LINE] for line in text.splitlines() if line.strip() and wanted(line))
    return [line for line, _ in groupby(kept)][-lines:]
