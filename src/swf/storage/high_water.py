"""A number in a file that only grows: what several stores that share a folder agree on."""

from __future__ import annotations

import fcntl
from pathlib import Path

from swf.core.errors import StorageError


class HighWater:
    """The highest number that was noted in a file; 0 where none was."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """The number.

        Raises:
            StorageError: the file cannot be read, or has something else in it.
        """
        try:
            text = self._path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            raise StorageError(f"{self._path} cannot be read: {error}") from error
        if text and not text.isdigit():
            raise StorageError(f"{self._path}: {text[:40]!r} is no number: write the highest one that was used")
        return int(text or 0)

    def note(self, number: int) -> None:
        """Note a number, where it is higher; any number of processes may at one time.

        Raises:
            StorageError: the file cannot be written.
        """
        try:
            with self._path.open("a+", encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self.read() < number:
                    file.truncate(0)
                    file.write(f"{number}\n")
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}") from error
