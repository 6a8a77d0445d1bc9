"""Payloads that crash or hang once: the slice is tried again, and the totals are as if they had not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from checker import check, compare
from findings import harm
from left_alone import Alone
from misbehaviour import Misbehaviour
from records import read_records
from testbed_process import TestbedProcess


def test_an_entry_point_that_crashes_or_hangs_is_tried_again(alone: Alone, tmp_path: Path) -> None:
    with Misbehaviour(tmp_path / "payloads", crash=[1, 7], hang=[4]) as payloads:
        parameters = payloads.parameters(alone.parameters, settings=["payload.timeout_s=3"])
        with TestbedProcess(parameters.arguments(tmp_path / "data"), tmp_path) as process:
            ended = process.wait()
    assert ended.code == 0, ended.stderr
    records = read_records(tmp_path / "data")
    assert not harm(compare(alone.records, records))
    stfs = alone.parameters.stf_count
    again = {item["slice_id"] for item in records.of("slices") if item["retries"] == 1}
    assert again == {1, 4, 7}
    assert ended.told()["slices"]["retries"] == 3 * stfs
    outcomes = Counter(row["outcome"] for row in records.of("attempts"))
    assert outcomes == {"ok": 15 * stfs, "crashed": 2 * stfs, "timed_out": stfs}
    crashes = [row for row in records.of("attempts") if row["outcome"] == "crashed"]
    assert all("SIMULATED crash" in row["stderr_tail"] and row["exit_code"] == -11 for row in crashes)


def test_a_command_that_crashes_or_hangs_is_tried_again(alone: Alone, tmp_path: Path) -> None:
    few = replace(
        alone.parameters, stf_count=1, settings=(*alone.parameters.settings, "fast_processing.slices_per_sample=4")
    )
    with Misbehaviour(tmp_path / "payloads", crash=[0], hang=[3]) as payloads:
        parameters = payloads.parameters(few, as_command=True, settings=["payload.timeout_s=5"])
        with TestbedProcess(parameters.arguments(tmp_path / "data"), tmp_path) as process:
            ended = process.wait()
    assert ended.code == 0, ended.stderr
    records = read_records(tmp_path / "data")
    assert not harm(check(records))
    assert {item["slice_id"]: item["retries"] for item in records.of("slices")} == {0: 1, 1: 0, 2: 0, 3: 1}
    told = ended.told()
    assert told["hits"]["found"] == told["hits"]["sampled"] > 0


def test_a_run_that_is_killed_while_payloads_are_tried_again_keeps_count(alone: Alone, tmp_path: Path) -> None:
    """The attempts that failed before the kill still count, and those that the kill ended do not."""
    with Misbehaviour(tmp_path / "payloads", crash=[1], wait=[9]) as payloads:
        parameters = payloads.parameters(alone.parameters)
        data_dir = tmp_path / "data"
        with TestbedProcess(parameters.arguments(data_dir), tmp_path) as process:
            payloads.waiting(1)
            process.signal("KILL")
            assert process.wait().code == -9
        execution = read_records(data_dir).of("executions")[0]["execution_id"]
        resumed = ["run", "--resume", execution, "--json", "--data-dir", str(data_dir)]
        with TestbedProcess(resumed, tmp_path) as process:
            for number in range(2, alone.parameters.stf_count + 1):
                payloads.let_go(payloads.waiting(number)[number - 1])
            ended = process.wait()
    assert ended.code == 0, ended.stderr
    records = read_records(data_dir)
    assert not harm(compare(alone.records, records))
    retries = {item["slice_id"]: 0 for item in records.of("slices")}
    for item in records.of("slices"):
        retries[item["slice_id"]] += item["retries"]
    assert retries == {**dict.fromkeys(retries, 0), 1: alone.parameters.stf_count}
