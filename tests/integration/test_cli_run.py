"""`testbed run` as a shell has it: a process of its own, a data directory of its own, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TESTBED = [sys.executable, "-m", "swf.cli"]
SMALL = (
    "--no-realtime",
    "--stf-count",
    "2",
    "--set",
    "stf.tf_count=40",
    "--set",
    "fast_processing.slices_per_sample=3",
)
"""Two STFs of 40 TFs; of each, 4 TFs are sampled and cut into 3 slices."""
AT_ONCE = [
    argument
    for key in ("no_beam_not_ready", "beam_not_ready", "beam_ready", "beam_not_ready_end", "broadcast")
    for argument in ("--set", f"daq_state_machine.{key}_delay=0")
]
EXECUTION = "fast_processing-tester-0001"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "tester")
    for name in [name for name in os.environ if name.startswith("SWF_") and name != "SWF_TEST_DATA"]:
        monkeypatch.delenv(name)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run([*TESTBED, *arguments], capture_output=True, text=True, check=False, timeout=300)


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one object on standard output."""
    (line,) = done.stdout.splitlines()
    value = json.loads(line)
    assert isinstance(value, dict)
    return value


@contextmanager
def started(arguments: Sequence[str], until: str) -> Iterator[subprocess.Popen[str]]:
    """A process of which a line of standard error has said `until`; it is ended on leaving."""
    process = subprocess.Popen(
        [*TESTBED, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if until in line:
                break
        else:
            pytest.fail(f"it ended before it said {until!r}: {''.join(said)}")
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_run_and_all_that_can_be_asked_of_it() -> None:
    done = command("run", "fast_processing", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    summary = told(done)
    assert summary["execution"] == EXECUTION
    assert summary["stf"] == {"produced": 2, "registered": 2, "sampled": 2}
    assert summary["slices"]["completed"] == summary["slices"]["created"] == 6
    assert summary["hits"]["found"] == summary["hits"]["sampled"] > 0
    assert summary["ledger"]["missing"] == 0
    assert summary["ledger"]["complete"]
    assert summary["products"]["count"] == 6
    assert summary["dataset"]["state"] == "closed"
    assert (summary["status"], summary["ending"], summary["exit_code"]) == ("completed", "closed", 0)
    assert "plan: " in done.stderr
    assert "SIMULATED" in done.stderr

    number = str(summary["run"])
    shown = told(command("runs", "show", number, "--json"))
    assert shown == {key: value for key, value in summary.items() if key in shown}
    assert told(command("runs", "ledger", number, "--json"))["complete"]
    assert [run["state"] for run in told(command("runs", "list", "--json"))["runs"]] == ["closed"]
    part = f"swf.{number}.000002_slice_002.tf"
    explained = told(command("runs", "explain", part, "--json"))
    assert (explained["state"], [each["outcome"] for each in explained["attempts"]]) == ("completed", ["ok"])
    replayed = [json.loads(line) for line in command("runs", "replay", number, "--json").stdout.splitlines()]
    assert [event["seq"] for event in replayed] == sorted(event["seq"] for event in replayed)
    by_type = [event["type"] for event in replayed if event["kind"] == "message"]
    assert {kind: by_type.count(kind) for kind in summary["messages"]} == summary["messages"]

    dry = told(command("runs", "prune", "--older-than", "0s", "--dry-run", "--json"))
    assert len(dry["files"]) == 2
    assert told(command("runs", "prune", "--older-than", "0s", "--json"))["files"] == dry["files"]
    assert list(Path("swf-data/exit-buffer").glob("*.stf")) == []

    again = command("run", "--resume", EXECUTION)
    assert again.returncode == 2
    assert "nothing to go on with" in again.stderr


def test_a_person_gets_a_tree_on_standard_output_alone() -> None:
    done = command("run", "stf_datataking", "--no-realtime", "--stf-count", "1", "--set", "stf.tf_count=40")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Run 100010 Summary: (SIMULATED data)\n")
    assert "├── STF files: 1 (all registered)" in done.stdout
    assert "slices" not in done.stderr
    assert "no_beam/not_ready" in done.stderr


def test_real_events(test_data: Path) -> None:
    events = test_data / "particle_physics" / "epic_sim" / "reco_2024-09_craterlake_2evt.edm4eic.root"
    done = command("run", "fast_processing", *SMALL, "--input", str(events), "--json")
    assert done.returncode == 0, done.stderr
    summary = told(done)
    assert summary["hits"]["found"] == summary["hits"]["sampled"]
    assert summary["ledger"]["missing"] == 0


def test_an_input_without_hits_is_refused_and_recorded() -> None:
    Path("no.root").write_text("this is not a ROOT file")
    done = command("run", "fast_processing", *SMALL, "--input", "no.root", "--json")
    assert done.returncode in {1, 2}
    error = told(done)["error"]
    assert "no.root" in error["message"]
    assert "Traceback" not in done.stderr


def test_a_payload_that_fails_closes_the_run_incomplete() -> None:
    payload = ["--set", "payload.name=broken", "--set", 'payload.command=["/bin/false", "{output}"]']
    done = command("run", "fast_processing", *SMALL, *payload, "--json")
    assert done.returncode == 3, done.stderr
    summary = told(done)
    assert (summary["ending"], summary["slices"]["failed"], summary["slices"]["retries"]) == ("closed", 6, 18)
    assert summary["ledger"]["balanced"]
    assert not summary["ledger"]["complete"]
    assert "Not done, and not going to be" in done.stderr
    failed = told(command("runs", "explain", "swf.100010.000001_slice_000.tf", "--json"))
    assert [attempt["exit_code"] for attempt in failed["attempts"]] == [1, 1, 1, 1]


def test_a_run_that_can_go_no_further_ends_says_why_and_can_be_mended() -> None:
    stalls = ("--set", "agents.worker.enabled=false", "--set", "watcher.stall_s=1")
    done = command("run", "fast_processing", *SMALL, *stalls, "--json")
    assert done.returncode == 1
    summary = told(done)
    assert (summary["ending"], summary["status"], summary["slices"]["queued"]) == ("stuck", "failed", 6)
    assert "started without an agent of role worker: agents.worker.enabled = false (flag --set" in done.stderr
    assert f"testbed run --resume {EXECUTION}" in done.stderr
    mended = command("run", "--resume", EXECUTION, "--set", "agents.worker.enabled=true", "--json")
    assert mended.returncode == 0, mended.stderr
    assert told(mended)["slices"]["completed"] == 6


def test_a_full_exit_buffer_pauses_ends_and_can_be_mended() -> None:
    full = ("--set", "exit_buffer.capacity_gb=0.000001", "--set", "watcher.stall_s=1")
    done = command("run", "fast_processing", *SMALL, *full, "--json")
    assert done.returncode == 1
    assert [alarm["key"] for alarm in told(done)["alarms"]] == ["exit_buffer"]
    assert "ALARM" in done.stderr
    mended = command("run", "--resume", EXECUTION, "--set", "exit_buffer.capacity_gb=1", "--json")
    assert mended.returncode == 0, mended.stderr
    summary = told(mended)
    assert summary["ledger"]["complete"]
    assert [bool(alarm["cleared"]) for alarm in summary["alarms"] if alarm["key"] == "exit_buffer"] == [True]


def test_interrupted_and_resumed() -> None:
    slow = ["stf_datataking", *AT_ONCE, "--stf-count", "3", "--set", "simulation.stf_interval=600", "--set"]
    with started(["run", *slow, "stf.tf_count=40", "--json"], "(physics)") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    summary = json.loads(out)
    assert (summary["status"], summary["ending"]) == ("paused", "interrupted")
    assert "testbed run --resume stf_datataking-tester-0001" in err
    explained = told(command("runs", "explain", "stf_datataking-tester-0001", "--json"))
    assert "nothing of it goes on until it is resumed" in explained["why"][0]
    done = command("run", "--resume", "stf_datataking-tester-0001", "--no-realtime", "--json")
    assert done.returncode == 0, done.stderr
    assert told(done)["ledger"]["complete"]
    assert told(done)["stf"]["registered"] == 3


def test_killed_and_resumed() -> None:
    killed = command("run", "fast_processing", *SMALL, "--kill-at", "worker.after_commit:3")
    assert killed.returncode == -signal.SIGKILL
    assert [run["alive"] for run in told(command("runs", "list", "--json"))["runs"]] == [False]
    done = command("run", "--resume", EXECUTION, "--json", "--boundaries", "reached.json")
    assert done.returncode == 0, done.stderr
    summary = told(done)
    assert summary["slices"]["completed"] == 6
    assert summary["hits"]["found"] == summary["hits"]["sampled"]
    assert json.loads(Path("reached.json").read_text())["worker.after_commit"] > 0


def test_stopped_by_an_operator_while_it_runs() -> None:
    endless = ["stf_datataking", *AT_ONCE, "--stf-count", "0", "--physics-period-count", "0", "--set"]
    with started(["run", *endless, "stf.tf_count=40", "--json"], "(physics)") as process:
        busy = command("run", "stf_datataking", "--stf-count", "1")
        assert busy.returncode == 5
        assert f"is in use by process {process.pid}" in busy.stderr
        request = told(command("runs", "stop", "100010", "--reason", "seen enough", "--json"))
        assert request["process"] == process.pid
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    summary = json.loads(out)
    assert (summary["status"], summary["ended_by"], summary["state"]) == ("stopped", "tester", "completed")
    assert summary["ledger"]["complete"]
    refused = command("runs", "stop", "100010")
    assert refused.returncode == 2
