from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest

from swf.core.errors import DataError
from swf.storage.checksums import facts_of


@pytest.mark.parametrize(("content", "adler32"), [(b"", "00000001"), (b"a", "00620062"), (b"abc", "024d0127")])
def test_adler32_has_eight_digits(tmp_path: Path, content: bytes, adler32: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    facts = facts_of(path)
    assert (facts.size_bytes, facts.adler32) == (len(content), adler32)
    assert facts.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_checksums_of_files_of_several_blocks(tmp_path: Path, size: int) -> None:
    content = bytes(i * 7 % 251 for i in range(1021)) * (size // 1021 + 1)
    content = content[:size]
    path = tmp_path / "file"
    path.write_bytes(content)
    facts = facts_of(path)
    assert facts.size_bytes == size
    assert facts.adler32 == f"{zlib.adler32(content):08x}"
    assert facts.sha256 == hashlib.sha256(content).hexdigest()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.stf cannot be read: there is no such file"):
        facts_of(tmp_path / "absent.stf")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is a folder"):
        facts_of(tmp_path)
