"""Where the supervisord of a data directory keeps its files, and the lock of who starts and stops there."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swf.core.errors import BusyError, StorageError
from swf.storage.atomic import atomic_file

SOCKET_PATH_BYTES: Final = 107
"""The longest path of a socket that the system takes."""

_SUFFIX_BYTES: Final = len(".4194304")
"""supervisord makes the socket under a name with its pid behind it, and renames it."""

_FOLDER: Final = "supervisor"
_SOCKET: Final = "supervisor.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlace:
    """The files of one supervisord: one for each data directory, so that users and testbeds do not meet."""

    root: Path
    """The data directory, absolute."""

    @property
    def folder(self) -> Path:
        """Configuration, pid and socket; nobody else may look into it.

        Without symbolic links on the way: supervisord, which runs in the data directory, does not know of them.
        """
        return self.root.resolve() / _FOLDER

    @property
    def configuration(self) -> Path:
        """`supervisord.conf`."""
        return self.folder / "supervisord.conf"

    @property
    def log(self) -> Path:
        """What supervisord says."""
        return self.root / "logs" / "supervisord.log"

    def socket(self) -> Path:
        """The socket that supervisord listens at; it need not be there."""
        return self._elsewhere() or self.folder / _SOCKET

    def create(self) -> Path:
        """Make the folder, and return where the socket will be: relative to the data directory, or, where that path
        would be too long, absolute, in a private folder for temporary files.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            for folder in (self.folder, self.log.parent):
                folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            if fits(self.folder / _SOCKET):
                return Path(_FOLDER) / _SOCKET
            elsewhere = self._elsewhere()
            if elsewhere is None:
                elsewhere = _private_folder() / _SOCKET
                with atomic_file(self._record) as temporary:
                    temporary.write_text(str(elsewhere), encoding="utf-8")
        except OSError as error:
            raise StorageError(
                f"{self.folder} cannot be written: {error.strerror}; choose another place with --data-dir"
            ) from error
        return elsewhere

    def forget_socket(self) -> None:
        """Remove the folder outside, where there is one; supervisord has ended."""
        elsewhere = self._elsewhere()
        if elsewhere is not None:
            with suppress(OSError):  # somebody has put something else into it
                elsewhere.unlink(missing_ok=True)
                elsewhere.parent.rmdir()
            self._record.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the one command that starts or stops processes here. The lock ends with the process.

        Raises:
            BusyError: another one is at it.
        """
        self.create()
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(
                    f"another command starts or stops the services of {self.root} now; wait until it has ended"
                ) from None
            yield

    @property
    def _record(self) -> Path:
        return self.folder / "socket"

    def _elsewhere(self) -> Path | None:
        """The socket's place outside, where one was made and is still private."""
        try:
            path = Path(self._record.read_text(encoding="utf-8"))
            found = path.parent.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        return path if private else None


def fits(socket: Path) -> bool:
    """Whether a socket can be made there by supervisord."""
    return len(os.fsencode(socket)) + _SUFFIX_BYTES <= SOCKET_PATH_BYTES


def _private_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="swf-"))
    if fits(folder / _SOCKET):
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="swf-", dir="/tmp"))
