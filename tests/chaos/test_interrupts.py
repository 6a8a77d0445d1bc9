"""Ctrl-C and SIGTERM pause in good order; a second process is refused; payloads end with whoever started them."""

from __future__ import annotations

from pathlib import Path

import pytest
from checker import compare
from findings import harm
from left_alone import Alone
from misbehaviour import Misbehaviour
from records import Records, latest_execution, read_records
from scenario import INTERRUPTED, Parameters
from testbed_process import Ended, TestbedProcess

BUSY = 5


def resume(data_dir: Path, root: Path) -> Ended:
    """Go on with the latest execution."""
    execution = latest_execution(data_dir)
    assert execution is not None
    with TestbedProcess(["run", "--resume", execution[0], "--json", "--data-dir", str(data_dir)], root) as process:
        return process.wait()


def whole(alone: Alone, data_dir: Path, ended: Ended) -> Records:
    """The records of a run that has come to its end; it is the same as the one that was left alone."""
    assert ended.code == 0, ended.stderr
    assert not ended.left
    records = read_records(data_dir)
    assert not harm(compare(alone.records, records))
    return records


def in_its_middle(parameters: Parameters, root: Path, misbehaviour: Misbehaviour, waiting: int) -> TestbedProcess:
    """A process that is in the middle of its run: that many payloads wait."""
    process = TestbedProcess(misbehaviour.parameters(parameters).arguments(root / "data"), root)
    misbehaviour.waiting(waiting)
    return process


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_signal_pauses_and_the_run_goes_on_when_resumed(alone: Alone, tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / "data"
    with (
        Misbehaviour(tmp_path / "payloads", wait=[4]) as payloads,
        in_its_middle(alone.parameters, tmp_path, payloads, 1) as process,
    ):
        process.signal(name)
        ended = process.wait()
        assert ended.code == INTERRUPTED, ended.stderr
        assert not ended.left
        assert not ended.orphans, "payloads end before the process that started them"
        told = ended.told()
        assert (told["ending"], told["exit_code"], told["status"]) == ("interrupted", INTERRUPTED, "paused")
        paused = read_records(data_dir)
        assert [row["status"] for row in paused.of("executions")] == ["paused"]
        assert not [item for item in paused.of("slices") if item["status"] == "processing"]
        assert {agent["status"] for agent in paused.of("agents")} == {"EXITED"}
        payloads.let_all_go()
        records = whole(alone, data_dir, resume(data_dir, tmp_path))
    # What had finished before the pause was not done again.
    completed = {item["name"] for item in paused.of("slices") if item["status"] == "completed"}
    assert completed
    assert all(item["attempt"] == 1 for item in records.of("slices") if item["name"] in completed)
    assert all(item["retries"] == 0 for item in records.of("slices"))


def test_payloads_end_with_a_process_that_is_killed(alone: Alone, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with (
        Misbehaviour(tmp_path / "payloads", wait=[2, 3]) as payloads,
        in_its_middle(alone.parameters, tmp_path, payloads, 2) as process,
    ):
        process.signal("KILL")
        ended = process.wait()
        assert ended.code == -9
        assert not ended.left, "no payload and no keeper outlives it"
        assert ended.orphans >= 2, "two keepers ended after it, and by themselves; each took its payload along"
        payloads.let_all_go()
        whole(alone, data_dir, resume(data_dir, tmp_path))


def test_a_second_process_is_refused_and_harms_nothing(alone: Alone, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with (
        Misbehaviour(tmp_path / "payloads", wait=[4]) as payloads,
        in_its_middle(alone.parameters, tmp_path, payloads, 1) as process,
    ):
        before = read_records(data_dir)
        with TestbedProcess(alone.parameters.arguments(data_dir), tmp_path / "second") as second:
            refused = second.wait()
        again = resume(data_dir, tmp_path / "third")
        for ended in (refused, again):
            assert ended.code == BUSY, ended.stderr
            assert ended.told()["error"]["type"] == "BusyError"
        assert read_records(data_dir).of("executions") == before.of("executions")
        # One payload of each STF waits.
        for number in range(1, alone.parameters.stf_count + 1):
            payloads.let_go(payloads.waiting(number)[number - 1])
        records = whole(alone, data_dir, process.wait())
    assert all(item["attempt"] == 1 for item in records.of("slices"))
