"""The secret that cookies are signed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from swf.core.errors import StorageError
from swf.monitor.secret import secret_of


def test_it_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = secret_of(path)
    assert secret_of(path) == made
    assert len(made) >= 50
    assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]
    assert secret_of(tmp_path / "another") != made


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 60])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="is not the monitor's secret"):
        secret_of(path)


def test_where_it_cannot_be_kept_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no-folder"):
        secret_of(tmp_path / "no-folder" / "secret")
