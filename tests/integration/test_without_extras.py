"""Embedded mode needs nothing beyond the package's own dependencies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXTRAS = ("stompman", "psycopg", "psycopg_pool", "supervisor", "fsspec_xrootd", "XRootD")
"""What the extra `services` brings."""


def test_a_run_needs_none_of_what_services_need(tmp_path: Path) -> None:
    # A module that is None in sys.modules cannot be imported.
    code = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS!r})); from swf.cli.main import main; main()"
    order = ["run", "fast_processing", "--stf-count", "1", "--no-realtime", "--data-dir", str(tmp_path / "data")]
    small = ["--set", "stf.content=none", "--set", "payload.name=noop"]
    done = subprocess.run(
        [sys.executable, "-c", code, *order, *small],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
