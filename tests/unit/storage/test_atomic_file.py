from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swf.core.errors import StorageError
from swf.storage.atomic import atomic_file, sweep_temporaries

_KILLED_AT = """
import os, signal, sys
from pathlib import Path
from swf.storage.atomic import atomic_file
def boundary(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
with atomic_file(Path(sys.argv[1]), boundary=boundary) as temporary:
    temporary.write_bytes(b"new")
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_complete_and_alone(tmp_path: Path) -> None:
    reached: list[tuple[str, bool]] = []
    path = tmp_path / "a" / "b" / "file"
    with atomic_file(path, boundary=lambda name: reached.append((name, path.exists()))) as temporary:
        temporary.write_bytes(b"content")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_bytes() == b"content"
    assert names(path.parent) == ["file"]
    assert reached == [("written", False), ("synced", False), ("renamed", True)]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic_file(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full: free space"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, "the device reports an error"),
    ],
)
def test_what_the_system_says_is_told_with_the_file_and_advice(tmp_path: Path, code: int, words: str) -> None:
    path = tmp_path / "file"
    with pytest.raises(StorageError, match=rf"{path} cannot be written: {words}"), atomic_file(path):
        raise OSError(code, "from the system")
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"), atomic_file(tmp_path / "folder" / "file"):
        pass


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"), atomic_file(tmp_path / "file"):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("boundary", "content", "left"), [("written", b"old", 1), ("synced", b"old", 1), ("renamed", b"new", 0)]
)
def test_a_kill_leaves_the_old_or_the_new_file(tmp_path: Path, boundary: str, content: bytes, left: int) -> None:
    path = tmp_path / "swf.1.000001.stf"
    path.write_bytes(b"old")
    ended = subprocess.run([sys.executable, "-c", _KILLED_AT, path, boundary], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == content
    assert sweep_temporaries(tmp_path) == left
    assert names(tmp_path) == [path.name]


def test_sweeping_takes_nothing_else(tmp_path: Path) -> None:
    kept = [".hidden", "file.part", ".file.part", ".file.0123456g.part"]
    for name in (*kept, ".file.01234567.part"):
        (tmp_path / name).write_bytes(b"")
    assert sweep_temporaries(tmp_path) == 1
    assert names(tmp_path) == sorted(kept)
    assert sweep_temporaries(tmp_path / "absent") == 0
