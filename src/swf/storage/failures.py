"""What the operating system says of a file, as errors of this package that name the file and say what to do."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from swf.core.errors import DataError, DiskFullError, StorageError, SwfError

_ADVICE: Final = {
    errno.ENOSPC: "the disk is full: free space or choose another data directory, then try again",
    errno.EDQUOT: "the quota is used up: free space or ask for more, then try again",
    errno.EROFS: "the file system is read-only: mount it for writing or choose another data directory",
    errno.EACCES: "permission denied: give this user access or choose another data directory",
    errno.EPERM: "permission denied: give this user access or choose another data directory",
    errno.EIO: "the device reports an error: check the disk",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n)",
    errno.ENFILE: "too many open files on this host",
    errno.EISDIR: "it is a folder, expected a file",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.ENAMETOOLONG: "its name is too long",
}

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NOT_A_FILE: Final = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG})


def cannot_write(path: Path, error: OSError) -> StorageError:
    """The error for a file that cannot be written."""
    kind = DiskFullError if error.errno in _FULL else StorageError
    return kind(f"{path} cannot be written: {_words(error)}")


def cannot_read(path: Path, error: OSError) -> SwfError:
    """The error for a file that cannot be read: DataError where there is no such file, else StorageError."""
    if error.errno in _NOT_A_FILE:
        advice = _ADVICE.get(error.errno or 0, "there is no such file: check its name, or whether it was removed")
        return DataError(f"{path} cannot be read: {advice}")
    return StorageError(f"{path} cannot be read: {_words(error)}")


def _words(error: OSError) -> str:
    return _ADVICE.get(error.errno or 0, error.strerror or str(error))
