"""A real XRootD server on 127.0.0.1, for tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = """
xrd.port {port}
xrd.allow host localhost
all.export /
oss.localroot {data}
all.adminpath {admin}
all.pidpath {admin}
xrootd.async off
"""


def installed() -> bool:
    """Whether the server's program is there."""
    return shutil.which("xrootd") is not None


@contextmanager
def serving(folder: Path, data: Path) -> Iterator[str]:
    """Serve `data` read-only; gives the address of its root. `folder` is for the server's own files.

    Raises:
        RuntimeError: it does not answer within 20 s.
    """
    port = _free_port()
    (folder / "admin").mkdir(parents=True)
    configuration = folder / "xrootd.cfg"
    configuration.write_text(CONFIGURATION.format(port=port, data=data, admin=folder / "admin"))
    command = ["xrootd", "-I", "v4", "-c", str(configuration), "-l", str(folder / "log")]
    if os.geteuid() == 0:  # it refuses to run as root, and takes the user of its package
        command += ["-R", "xrootd"]
        for path in (folder, folder / "admin"):
            shutil.chown(path, "xrootd")
        for path in (folder, *folder.parents, data, *data.parents):
            if path.stat().st_uid == os.geteuid() and path != Path("/"):
                path.chmod(path.stat().st_mode | 0o711)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield f"root://127.0.0.1:{port}//"
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"xrootd ended with exit code {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            process_ended = process.poll()
            if process_ended is None:
                _pause()
            continue
        return
    raise RuntimeError("xrootd does not answer")


def _pause() -> None:
    """A server that starts tells nobody when it listens: ask again shortly."""
    time.sleep(0.05)
