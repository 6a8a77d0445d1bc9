"""A file for uproot to write ROOT into, so that the same content gives the same bytes at any time and place.

ROOT puts the time of writing into every key and folder header. As ROOT's own option `reproducible` does, these are set
to one fixed instant here. Format: ROOT's `io/doc/TFile` (TFile, TKey, TDirectory).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Final

_KEY_SMALL: Final = struct.Struct(">ihiIhhii")
_KEY_BIG: Final = struct.Struct(">ihiIhhqq")
_BIG: Final = 1000
_DATIME_OFFSET: Final = 10
_FOLDER_DATIME_OFFSET: Final = 2
_DATIME: Final = struct.pack(">I", (2026 - 1995) << 26 | 1 << 22 | 1 << 17)
"""2026-01-01 00:00:00, as TDatime packs it."""

_BEGIN: Final = 100
_HEADER: Final = struct.Struct(">4siiqqiii")
_HEADER_SMALL: Final = struct.Struct(">4siiiiiii")
_VERSION_BIG: Final = 1_000_000


class RootSink:
    """A binary file, open for reading and writing at any position; writes go to the file at once.

    Keys get their fixed instant when they are written; `settle` gives it to the root folder, after the last write.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self._position = 0
        self._length = 0

    def __enter__(self) -> RootSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    def write(self, data: bytes) -> int:
        """Write at the present position."""
        if _is_key(data, self._position):
            data = data[:_DATIME_OFFSET] + _DATIME + data[_DATIME_OFFSET + 4 :]
        self._put(self._position, data)
        self._position += len(data)
        return len(data)

    def read(self, size: int) -> bytes:
        """Read at the present position."""
        data = os.pread(self._fd, size, self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The present position."""
        return self._position

    def flush(self) -> None:
        """Nothing is held back."""

    def truncate(self, size: int) -> int:
        """Cut or extend the file to `size` bytes."""
        os.ftruncate(self._fd, size)
        self._length = size
        return size

    def settle(self) -> None:
        """Give the root folder's header, and the copies of keys in its list, the fixed instant."""
        name_bytes = self._name_bytes()
        start = _BEGIN + name_bytes
        header = os.pread(self._fd, 64, start)
        self._put(start + _FOLDER_DATIME_OFFSET, _DATIME + _DATIME)
        version, _, _, list_bytes, _ = struct.unpack_from(">hIIii", header)
        (list_at,) = struct.unpack_from(">q", header, 34) if version > _BIG else struct.unpack_from(">i", header, 26)
        keys = bytearray(os.pread(self._fd, list_bytes, list_at))
        (head_length,) = struct.unpack_from(">h", keys, 14)
        (count,) = struct.unpack_from(">i", keys, head_length)
        position = head_length + 4
        for _ in range(count):
            keys[position + _DATIME_OFFSET : position + _DATIME_OFFSET + 4] = _DATIME
            (length,) = struct.unpack_from(">h", keys, position + 14)
            position += length
        self._put(list_at, bytes(keys))

    def _name_bytes(self) -> int:
        head = os.pread(self._fd, 64, 0)
        (version,) = struct.unpack_from(">i", head, 4)
        *_, name_bytes = (_HEADER if version >= _VERSION_BIG else _HEADER_SMALL).unpack_from(head)
        return int(name_bytes)

    def _put(self, position: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            done = os.pwrite(self._fd, view, position)
            position += done
            view = view[done:]
        self._length = max(self._length, position)


def _is_key(data: bytes, position: int) -> bool:
    """Whether what is written at `position` begins with a key: it names this position as its own."""
    if len(data) < _KEY_BIG.size:
        return False
    _, version, _, _, _, _, at, _ = (_KEY_BIG if data[4:6] > b"\x03\xe8" else _KEY_SMALL).unpack_from(data)
    return bool(at == position and 0 < version % _BIG < 10 and position >= _BEGIN)
