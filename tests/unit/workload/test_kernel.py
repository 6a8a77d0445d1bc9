from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from swf.workload import kernel

pytestmark = pytest.mark.skipif(not kernel.LINUX, reason="this looks into /proc")


def test_descendants_are_found_at_any_depth() -> None:
    text = "import os, subprocess; subprocess.run(['sh', '-c', 'echo $$; read _; true'])"
    program = [sys.executable, "-c", text]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        assert {process.pid, grandchild} <= set(kernel.descendants(os.getpid()))
        assert kernel.descendants(process.pid) == [grandchild]
        process.communicate("\n")
    assert kernel.descendants(process.pid) == []


def test_memory_is_that_of_the_process_and_nothing_for_one_that_is_gone() -> None:
    before = kernel.held_bytes(os.getpid())
    held = bytearray(b"1") * 50_000_000
    assert kernel.held_bytes(os.getpid()) - before > 0.9 * len(held)
    with subprocess.Popen(["true"]) as process:
        pass
    assert kernel.held_bytes(process.pid) == 0


def test_kills_for_memory_are_counted() -> None:
    assert kernel.oom_kills() >= 0


def test_the_start_of_a_file_is_dropped_and_its_end_stays(tmp_path: Path) -> None:
    path = tmp_path / "printed"
    path.write_bytes(b"x" * 2_000_000 + b"the end")
    with path.open("r+b") as file:
        kernel.start_dropper()(file.fileno(), 1_990_000)
    assert path.read_bytes().endswith(b"the end")
    assert path.stat().st_blocks * 512 < 100_000


def test_where_a_start_cannot_be_dropped_everything_is(tmp_path: Path) -> None:
    path = tmp_path / "printed"
    path.write_bytes(b"x" * 1000)
    with path.open("r+b") as file:
        kernel.start_dropper()(file.fileno(), 0)  # the kernel refuses a length of 0
    assert path.read_bytes() == b""
