"""The code in docs/how-to/monitor-api.md runs as it stands there, against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import token_of, user_with
from services.monitor import monitor_process
from store_fixture import opened
from swf.web.roles import Role
from taken_run import RUN, TakenRun

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "monitor-api.md"
INTERPRETERS = {"python": [sys.executable, "-c"], "bash": ["bash", "-euo", "pipefail", "-c"]}
SAID = {
    "bash": '"via": "token"',
    "post": "1 slice of run",
    "live_events": "stf_gen",
    "tools": "run_ledger - ",
}
"""What each example prints, by a word of its code."""


@pytest.fixture
def data_dir(tmp_path: Path, store_template: Path) -> Iterator[Path]:
    root = tmp_path / "data"
    root.mkdir()
    shutil.copyfile(store_template, root / "swf.sqlite3")
    with opened(root / "swf.sqlite3"):
        run = TakenRun()
        run.started()
        run.slice(run.sample(run.stf(1, slice_count=1)), 0, "failed", reason="it crashed")
        run.event("stf_gen", f"swf.{RUN}.000001.stf")
        yield root


def test_every_example_runs(data_dir: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    token = token_of(user_with("ann", {"*": Role.OPERATOR}), Role.OPERATOR)
    examples = re.findall(r"^```(python|bash)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(examples) == len(SAID)
    with monitor_process(data_dir) as url:
        here = {**os.environ, "MONITOR": url, "TOKEN": token, "RUN": str(RUN)}
        for (language, code), (word, expected) in zip(examples, SAID.items(), strict=True):
            assert word in code or word == language
            done = subprocess.run(
                [*INTERPRETERS[language], code],
                check=False,
                capture_output=True,
                text=True,
                timeout=120,
                cwd=tmp_path,
                env=here,
            )
            assert done.returncode == 0, done.stderr
            assert expected in done.stdout
    assert (tmp_path / "slices.csv").read_text().count("\n") == 2
