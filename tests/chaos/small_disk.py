"""A small disk, for tests that fill it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

import pytest


class SmallDisk:
    """A file system in memory, of a size that can be changed while it is used."""

    def __init__(self, path: Path, size: str) -> None:
        self.path = path
        path.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"this user may not mount a small disk: {done.stderr.strip()}")

    def change(self, options: str) -> None:
        """Mount it anew, with other options."""
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True, capture_output=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run(["umount", "-l", str(self.path)], check=True, capture_output=True)
