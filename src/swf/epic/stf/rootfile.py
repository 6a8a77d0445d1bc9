"""Opening ROOT files of any origin: what is wrong with one is said in one error that names it."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from swf.core.errors import DataError, StorageError, SwfError
from swf.storage.failures import cannot_read
from swf.storage.location import is_remote, require_remote_access

_MAGIC: Final = b"root"
_HEAD: Final = struct.Struct(">4sii")
_END_BIG: Final = struct.Struct(">q")
_END_SMALL: Final = struct.Struct(">i")
_VERSION_BIG: Final = 1_000_000

_BROKEN: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What reading a corrupted file raises, somewhere inside uproot: it follows whatever the bytes say."""

_NONSENSE: Final = frozenset({None, errno.EINVAL, errno.EOVERFLOW})
"""Codes of errors of reading at a place that cannot be; None is uproot's own, of fewer bytes than were asked for."""


@contextmanager
def reading(location: str | Path) -> Iterator[None]:
    """Turn what goes wrong in reading `location` into one of our errors.

    Raises:
        DataError: the file is missing, truncated, corrupted or not of the format.
        StorageError: it cannot be read now.
    """
    try:
        yield
    except DataError as error:
        raise error if str(location) in str(error) else DataError(f"{location}: {error}") from error
    except SwfError:
        raise
    except OSError as error:
        if is_remote(location):
            raise StorageError(f"{location} cannot be read: {error}; check the server and the path") from error
        if error.errno in _NONSENSE:
            raise DataError(f"{location} is truncated or corrupted: {_one_line(error)}") from error
        raise cannot_read(Path(location), error) from error
    except _broken() as error:
        raise DataError(f"{location} is truncated or corrupted: {_one_line(error)}") from error


@contextmanager
def opened(location: str | Path) -> Iterator[Any]:
    """Open a ROOT file, local or `root://`, with uproot.

    Raises:
        DataError: it is missing, not a ROOT file, truncated or corrupted; raised within the context too.
        StorageError: it cannot be read now.
        ConfigError: it is remote and the package that reads from servers is missing.
    """
    import uproot

    with reading(location), _classes_kept():
        if is_remote(location):
            require_remote_access(str(location))
            source = uproot.open(str(location), object_cache=None, array_cache=None)
        else:
            check_head(Path(location))
            # One thread that reads with read(2): a file that shrinks under a memory map would end the process.
            source = uproot.open(
                {str(location): None},
                handler=uproot.MultithreadedFileSource,
                num_workers=1,
                object_cache=None,
                array_cache=None,
            )
        with source as file:
            yield file


@contextmanager
def _classes_kept() -> Iterator[None]:
    """Forget the classes that uproot learns from a file, once it is read.

    It learns for the whole process, from what a file says of its own classes; a corrupted one can replace those that
    uproot comes with, and the sound files after it would not be read.
    """
    import uproot

    names = set(uproot.classes)
    versions = [(c, dict(c.known_versions)) for c in uproot.classes.values() if hasattr(c, "known_versions")]
    try:
        yield
    finally:
        # Entry by entry, never through an empty table: other threads read files meanwhile.
        for name in set(uproot.classes) - names:
            uproot.classes.pop(name, None)
        for dispatcher, known in versions:
            for version in set(dispatcher.known_versions) - set(known):
                dispatcher.known_versions.pop(version, None)
            for version, model in known.items():
                if dispatcher.known_versions.get(version) is not model:
                    dispatcher.known_versions[version] = model


def check_head(path: Path) -> None:
    """Look at the first bytes of a local file.

    Raises:
        DataError: it is empty, not a ROOT file, or shorter than its header says.
    """
    with path.open("rb", buffering=0) as file:
        head = file.read(64)
        size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise DataError(f"{path} is empty; expected a ROOT file")
    if not head.startswith(_MAGIC):
        raise DataError(f"{path} is not a ROOT file: it begins with {head[:8]!r}, expected {_MAGIC!r}")
    if len(head) < 64:
        raise DataError(f"{path} is truncated: it has {size} bytes, less than a ROOT header")
    _, version, _ = _HEAD.unpack_from(head)
    (end,) = (_END_BIG if version >= _VERSION_BIG else _END_SMALL).unpack_from(head, _HEAD.size)
    if end > size:
        raise DataError(f"{path} is truncated: it has {size} bytes, {end} by its header")


def _broken() -> tuple[type[Exception], ...]:
    """And what the libraries raise of their own: imported when something was raised, as their import is slow."""
    from cramjam import DecompressionError
    from uproot.deserialization import DeserializationError

    return (*_BROKEN, DeserializationError, DecompressionError)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def tree_of(location: str | Path, file: Any, name: str) -> Any:
    """The tree `name` of an open file.

    Raises:
        DataError: there is none.
    """
    kind = file.classname_of(name) if name in file else ""
    if kind != "TTree":
        found = (
            f"its {name!r} is a {kind}"
            if kind
            else f"it has {', '.join(sorted(file.keys(cycle=False))[:5]) or 'nothing'}"
        )
        raise DataError(f"{location} has no tree {name!r}: {found}")
    return file[name]
