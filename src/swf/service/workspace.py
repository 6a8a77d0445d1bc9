"""The data directory: where a testbed keeps its files, and the lock that makes one process its writer."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from swf.core.errors import BusyError, StorageError
from swf.storage.failures import cannot_write


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The parts of a data directory."""

    root: Path

    @property
    def database(self) -> Path:
        """The store of the embedded mode."""
        return self.root / "swf.sqlite3"

    @property
    def service_file(self) -> Path:
        """Where the service mode of this directory has its broker and its database; not there in embedded mode."""
        return self.root / "service.toml"

    @property
    def highest_run(self) -> Path:
        """The highest run number that was used here, by the store of either mode."""
        return self.root / "highest-run"

    @property
    def monitor_secret(self) -> Path:
        """What the web monitor signs cookies with."""
        return self.root / "monitor-secret"

    @property
    def exit_buffer(self) -> Path:
        """The DAQ's exit buffer, where the configuration names no other."""
        return self.root / "exit-buffer"

    @property
    def samples(self) -> Path:
        """TF sample files, by run."""
        return self.root / "samples"

    @property
    def products(self) -> Path:
        """Outputs of payloads, by run."""
        return self.root / "products"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"

    @property
    def metrics(self) -> Path:
        """Files that tell Prometheus where agents answer scrapes."""
        return self.root / "metrics"

    @property
    def scratch(self) -> Path:
        """Working folders of payloads."""
        return self.root / "scratch"

    def create(self) -> None:
        """Make the directory and its parts, where they are not there.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            parts = (self.exit_buffer, self.samples, self.products, self.logs, self.scratch, self.metrics)
            for folder in (self.root, *parts):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except FileExistsError as error:
            raise StorageError(
                f"the data directory {self.root} cannot be written: {error.filename} is a file; choose another one "
                "with --data-dir"
            ) from error
        except OSError as error:
            raise StorageError(f"the data directory {cannot_write(self.root, error)}; see --data-dir") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the one process that runs agents here. The lock ends with the process, however that ends.

        Raises:
            BusyError: another process holds it; the message names its pid.
        """
        path = self.root / "lock"
        with path.open("a+") as file:
            self._take(file)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def holder(self) -> int | None:
        """The process that runs agents here; None where none does. 0 where its number cannot be read."""
        try:
            with (self.root / "lock").open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    text = file.read().strip()
                    return int(text) if text.isdigit() else 0
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StorageError(f"{self.root / 'lock'} cannot be read: {error.strerror}") from error
        return None

    def _take(self, file: TextIO) -> None:
        """Take the lock. One that is held is asked for a few times more: it may be somebody who only looks."""
        for more in reversed(range(_LOOKS)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EACCES}:
                    raise StorageError(f"{file.name} cannot be locked: {error.strerror}") from error
                if more:
                    time.sleep(_LOOK_S)
                    continue
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise BusyError(
                    f"{self.root} is in use by process {holder}; wait for it, stop it, or choose another --data-dir"
                ) from None
            return


_LOOKS, _LOOK_S = 5, 0.02
