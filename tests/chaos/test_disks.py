"""A disk that is full or read-only: the run waits or says so, and nothing is lost.

They mount small file systems in memory, and are skipped where this user may not do that.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from checker import compare
from findings import harm
from records import latest_execution, read_records
from testbed_process import TestbedProcess

from conftest import Alone

FAILED = 1


class SmallDisk:
    """A file system in memory, of a size that can be changed while it is used."""

    def __init__(self, path: Path, size: str) -> None:
        self.path = path
        path.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"this user may not mount a small disk: {done.stderr.strip()}")

    def change(self, options: str) -> None:
        """Mount it anew, with other options."""
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True, capture_output=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run(["umount", "-l", str(self.path)], check=True, capture_output=True)


class Heard:
    """The standard error of a process, line by line, as it is written."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.text = ""

    def lines(self) -> Iterator[str]:
        """The lines, until the process closes it."""
        with self.path.open() as pipe:
            for line in pipe:
                self.text += line
                yield line


def test_a_full_exit_buffer_pauses_the_run_and_it_goes_on_when_there_is_space(alone: Alone, tmp_path: Path) -> None:
    heard = Heard(tmp_path / "stderr")
    with SmallDisk(tmp_path / "buffer", "8m") as disk:  # two STFs fit
        arguments = [
            *alone.parameters.arguments(tmp_path / "data"),
            *("--set", f"exit_buffer.path={disk.path}", "--set", "watcher.stall_s=600"),
        ]
        with TestbedProcess(arguments, tmp_path, stderr=heard.path) as process:
            alarms = 0
            for line in heard.lines():
                if line.startswith("ALARM"):
                    assert "disk is full" in line
                    alarms += 1
                    if alarms == 1:
                        disk.change("size=64m")
            ended = process.wait()
        assert ended.code == 0, heard.text
        assert alarms == 1
        records = read_records(tmp_path / "data", exit_buffer=disk.path)
    assert not harm(compare(alone.records, records))
    assert [alarm["key"] for alarm in records.of("alarms")] == ["exit_buffer"]
    # It paused once, and resumed once.
    assert [len(records.sent(kind)) for kind in ("pause_run", "resume_run")] == [1, 1]


def test_a_read_only_data_directory_is_refused_and_the_run_goes_on_later(alone: Alone, tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "disk", "200m") as disk:
        data_dir = disk.path / "data"
        killed = [*alone.parameters.arguments(data_dir), "--kill-at", "fast_processing.after_commit:9"]
        with TestbedProcess(killed, tmp_path) as process:
            assert process.wait().code == -9
        execution = latest_execution(data_dir)
        assert execution is not None
        resume = ["run", "--resume", execution[0], "--json", "--data-dir", str(data_dir)]
        disk.change("ro")
        with TestbedProcess(resume, tmp_path) as process:
            refused = process.wait()
        assert refused.code == FAILED, refused.stderr
        error = refused.told()["error"]
        assert error["type"] == "StorageError"
        assert str(data_dir) in error["message"]
        disk.change("rw")
        with TestbedProcess(resume, tmp_path) as process:
            ended = process.wait()
        assert ended.code == 0, ended.stderr
        assert not harm(compare(alone.records, read_records(data_dir)))


def test_a_data_directory_on_a_full_disk_loses_nothing(alone: Alone, tmp_path: Path) -> None:
    """Everything is on one small disk: the store, STFs, samples and products."""
    with SmallDisk(tmp_path / "disk", "5m") as disk:
        data_dir = disk.path / "data"
        heard = Heard(tmp_path / "stderr")
        arguments = [*alone.parameters.arguments(data_dir), "--set", "watcher.stall_s=5"]
        with TestbedProcess(arguments, tmp_path, stderr=heard.path) as process:
            assert list(heard.lines())
            ended = process.wait()
        assert ended.code != 0
        assert not ended.left
        disk.change("size=200m")
        execution = latest_execution(data_dir)
        assert execution is not None
        with TestbedProcess(
            ["run", "--resume", execution[0], "--json", "--data-dir", str(data_dir)], tmp_path
        ) as again:
            ended = again.wait()
        assert ended.code == 0, ended.stderr
        assert not harm(compare(alone.records, read_records(data_dir)))
