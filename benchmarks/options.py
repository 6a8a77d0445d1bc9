"""How a run of the benchmarks was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every part is given."""

    folder: Path
    """Where everything is measured: databases and files, on the disk that counts."""
    quick: bool
    """A smoke version: the same figures from less."""
    progress: Callable[[str], None]
    """Tells what is going on."""
