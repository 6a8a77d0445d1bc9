"""A disk that is full or read-only: the run waits or says so, and nothing is lost.

They mount small file systems in memory, and are skipped where this user may not do that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from checker import compare
from findings import harm
from left_alone import Alone
from records import latest_execution, read_records
from small_disk import SmallDisk
from testbed_process import TestbedProcess

FAILED = 1


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
            alarms = lines = 0
            for line in heard.lines():
                alarms += line.startswith("ALARM")
                lines += alarms > 0
                if lines == 3:  # twice it told of nothing new, so it has tried again meanwhile
                    disk.change("size=64m")
            ended = process.wait()
        assert ended.code == 0, heard.text
        assert alarms == 1
        assert "disk is full" in heard.text
        records = read_records(tmp_path / "data", exit_buffer=disk.path)
    assert not harm(compare(alone.records, records))
    assert [alarm["key"] for alarm in records.of("alarms")] == ["exit_buffer"]
    # It paused once, and resumed once, however often it tried.
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


@pytest.mark.parametrize("killed", [False, True], ids=["goes on", "killed and resumed"])
def test_a_data_directory_on_a_full_disk_loses_nothing(alone: Alone, tmp_path: Path, killed: bool) -> None:
    """Everything is on one small disk: the store, STFs, samples and products."""
    heard = Heard(tmp_path / "stderr")
    with SmallDisk(tmp_path / "disk", "5m") as disk:
        data_dir = disk.path / "data"
        with TestbedProcess(alone.parameters.arguments(data_dir), tmp_path, stderr=heard.path) as process:
            unchanged, before = 0, ""
            for line in heard.lines():
                # What is told at intervals while nothing moves, until it has not moved for two of them.
                now = _without_times(line)
                unchanged, before = (unchanged + 1 if now == before else 0), now
                if unchanged == 2:
                    if killed:
                        process.signal("KILL")
                    else:
                        disk.change("size=200m")
            ended = process.wait()
        assert not ended.left
        if killed:
            assert ended.code == -9, heard.text
            disk.change("size=200m")
            execution = latest_execution(data_dir)
            assert execution is not None
            arguments = ["run", "--resume", execution[0], "--json", "--data-dir", str(data_dir)]
            with TestbedProcess(arguments, tmp_path) as process:
                ended = process.wait()
        assert ended.code == 0, heard.text + ended.stderr
        assert not harm(compare(alone.records, read_records(data_dir)))


def _without_times(line: str) -> str:
    """A line of progress without what changes by itself: rates and ages."""
    return re.sub(r"[0-9.]+ ?(slices)?/s|lag [0-9.]+ s", "", line)
