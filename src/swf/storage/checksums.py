"""Size and checksums of a file, read once."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swf.storage.failures import cannot_read

_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What identifies the content of a file."""

    size_bytes: int
    adler32: str
    """8 hexadecimal digits in lower case, padded with zeros, as Rucio and XRootD write it."""
    sha256: str
    """64 hexadecimal digits in lower case."""


def facts_of(path: Path) -> FileFacts:
    """Read a file once, in blocks of 1 MiB; other threads run meanwhile.

    Raises:
        DataError: there is no such file.
        StorageError: it cannot be read now.
    """
    size, adler, sha = 0, 1, hashlib.sha256()
    buffer = memoryview(bytearray(_BLOCK))
    try:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                block = buffer[:count]
                size += count
                adler = zlib.adler32(block, adler)
                sha.update(block)
    except OSError as error:
        raise cannot_read(path, error) from error
    return FileFacts(size_bytes=size, adler32=f"{adler:08x}", sha256=sha.hexdigest())
