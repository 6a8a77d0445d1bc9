"""What the unit tests share beside `tests/conftest.py`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store_fixture import opened


@pytest.fixture
def sqlite_store(store_template: Path, tmp_path: Path) -> Iterator[Path]:
    """An empty store in SQLite, for tests of what SQLite alone does; the value is its file."""
    path = tmp_path / "swf.sqlite3"
    shutil.copyfile(store_template, path)
    with opened(path):
        yield path
