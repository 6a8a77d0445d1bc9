"""A process that is killed while the exit buffer makes room: what rows say is there is there, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from left_alone import Alone
from records import Records, latest_execution, read_records
from testbed_process import TestbedProcess


def stf_files(records: Records) -> dict[str, bool]:
    """Of each STF, whether its row says that it lies in the exit buffer."""
    return {stf["name"]: stf["removed_at"] is None for stf in records.of("stfs")}


def test_rows_and_files_agree_when_old_stfs_have_left(alone: Alone, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with TestbedProcess(alone.parameters.arguments(data_dir), tmp_path) as process:
        assert process.wait().code == 0
    # Four STFs fit: the second run can be taken only where STFs of the first one, which is closed, leave.
    capacity = 4.5 * max(stf["size_bytes"] for stf in read_records(data_dir).of("stfs")) / 1e9
    second = [
        *alone.parameters.arguments(data_dir),
        *("--set", f"exit_buffer.capacity_gb={capacity}", "--set", "exit_buffer.retention_hours=0"),
        *("--kill-at", "daq_simulator.file_removed:1"),
    ]
    with TestbedProcess(second, tmp_path) as process:
        assert process.wait().code == -9
    execution = latest_execution(data_dir)
    assert execution is not None
    with TestbedProcess(["run", "--resume", execution[0], "--json", "--data-dir", str(data_dir)], tmp_path) as process:
        ended = process.wait()
    assert ended.code == 0, ended.stderr
    records = read_records(data_dir)
    lie_there = stf_files(records)
    assert {name for name, there in lie_there.items() if there} == set(records.within("exit-buffer"))
    assert 0 < sum(not there for there in lie_there.values()) <= alone.parameters.stf_count
    newer = [stf for stf in records.of("stfs") if stf["run_id"] == max(run["run_number"] for run in records.of("runs"))]
    assert all(lie_there[stf["name"]] for stf in newer), "nothing of the run that is taken has left"
    assert ended.told()["hits"]["found"] == ended.told()["hits"]["sampled"] > 0
