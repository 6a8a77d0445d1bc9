"""Commands that look: texts for a person, one object for a program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Testbed

from swf.core.work import WorkState
from swf.service.workspace import Workspace
from swf.store.models import WorkflowExecution
from taken_run import EXECUTION, NOW, RUN, TakenRun


@pytest.fixture
def run(data_dir: Path) -> TakenRun:
    """A closed run of one STF."""
    taken = TakenRun()
    taken.started(status="completed")
    taken.event("run_imminent")
    taken.event("stf_gen", "swf.100010.000001.stf", after_s=1)
    taken.processed_stf(1)
    taken.ended(1, closed=True)
    return taken


class TestRuns:
    def test_list(self, testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
        ended = testbed("runs", "list", "--data-dir", data_dir)
        assert ended.code == 0
        assert "100010 SIMULATED" in ended.out
        assert "1 of 1" in ended.out
        assert [line["run"] for line in testbed("runs", "list", "--data-dir", data_dir, "--json").json["runs"]] == [RUN]

    def test_an_empty_list_says_what_to_do(self, testbed: Testbed, data_dir: Path) -> None:
        assert "no run was taken yet" in testbed("runs", "list", "--data-dir", data_dir).out
        assert testbed("runs", "list", "--data-dir", data_dir, "--json").json == {"runs": []}

    def test_a_namespace_without_runs_is_not_a_store_without_runs(
        self, testbed: Testbed, run: TakenRun, data_dir: Path
    ) -> None:
        out = testbed("runs", "list", "--namespace", "other", "--data-dir", data_dir).out
        assert "no run of namespace 'other'" in out
        assert "no run was taken yet" not in out

    def test_one_that_died_is_told_from_one_that_runs(self, testbed: Testbed, data_dir: Path) -> None:
        TakenRun().started()
        assert "running (no process)" in testbed("runs", "list", "--data-dir", data_dir).out
        with Workspace(root=data_dir).locked():
            ended = testbed("runs", "list", "--data-dir", data_dir)
        assert "running" in ended.out
        assert "no process" not in ended.out

    def test_stfs_page_by_page(self, testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
        run.processed_stf(2)
        ended = testbed("runs", "stfs", str(RUN), "--limit", "1", "--data-dir", data_dir)
        assert "swf.100010.000001.stf SIMULATED" in ended.out
        assert "2 of 2" in ended.out
        assert "there are more: --after swf.100010.000001.stf" in ended.err
        rest = testbed("runs", "stfs", str(RUN), "--after", "swf.100010.000001.stf", "--data-dir", data_dir, "--json")
        assert [line["name"] for line in rest.json["stfs"]] == ["swf.100010.000002.stf"]
        assert rest.json["after"] is None
        none = testbed("runs", "stfs", str(RUN), "--status", "failed", "--data-dir", data_dir)
        assert "run 100010 has no such STF" in none.out
        assert testbed("runs", "stfs", str(RUN), "--status", "lost", "--data-dir", data_dir).code == 2
        assert testbed("runs", "stfs", str(RUN), "--after", "x", "--data-dir", data_dir).code == 4

    def test_show_is_a_tree(self, testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
        out = testbed("runs", "show", str(RUN), "--data-dir", data_dir).out
        assert out.startswith("Run 100010 Summary: (SIMULATED data)")
        for line in (
            "├── STF files: 1 (all processed)",
            "│   ├── run_imminent → agents prepared",
            "└── Agents involved:",
        ):
            assert line in out

    def test_show_of_a_run_that_is_not_through(self, testbed: Testbed, data_dir: Path) -> None:
        taken = TakenRun()
        taken.started()
        taken.processed_stf(1)
        taken.stf(2, WorkState.QUEUED)
        taken.letter()
        out = testbed("runs", "show", str(RUN), "--data-dir", data_dir).out
        assert "STF files: 2 registered, 1 done" in out
        assert "Dead letters: 1" in out
        assert "not closed" in out

    def test_show_for_a_program(self, testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
        value = testbed("runs", "show", str(RUN), "--data-dir", data_dir, "--json").json
        assert value["ledger"]["missing"] == 0
        assert value["hits"] == {"sampled": 50, "found": 50}

    def test_ledger(self, testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
        out = testbed("runs", "ledger", str(RUN), "--data-dir", data_dir).out
        assert "1 produced = 1 registered + 0 missing; complete" in out
        assert testbed("runs", "ledger", str(RUN), "--data-dir", data_dir, "--json").json["complete"]

    def test_ledger_names_what_is_not_done(self, testbed: Testbed, data_dir: Path) -> None:
        taken = TakenRun()
        taken.started()
        taken.stf(1, WorkState.FAILED, reason="truncated")
        assert "swf.100010.000001.stf: failed at registered: truncated" in (
            testbed("runs", "ledger", str(RUN), "--data-dir", data_dir).out
        )

    def test_explain_names_commands_for_this_data_directory(self, testbed: Testbed, data_dir: Path) -> None:
        TakenRun().started(status="paused")
        ended = testbed("runs", "explain", EXECUTION, "--data-dir", data_dir)
        assert f"testbed run --resume {EXECUTION} --data-dir {data_dir}" in ended.out
        value = testbed("runs", "explain", EXECUTION, "--data-dir", data_dir, "--json").json
        assert value["next"][0].endswith(str(data_dir))

    def test_explain_shows_attempts_with_their_standard_error(
        self, testbed: Testbed, run: TakenRun, data_dir: Path
    ) -> None:
        run.attempt(
            "swf.100010.000001_slice_000.tf", 1, exit_code=3, detail="it ended", stderr_tail="oh [bold]no[/bold]"
        )
        out = testbed("runs", "explain", "swf.100010.000001_slice_000.tf", "--data-dir", data_dir).out
        assert "1 by worker-agent-me-5: crashed, exit code 3" in out
        assert "oh [bold]no[/bold]" in out

    def test_replay(self, testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
        lines = testbed("runs", "replay", str(RUN), "--data-dir", data_dir).out.splitlines()
        assert len(lines) == 2
        assert "stf_gen swf.100010.000001.stf by data-agent-me-1" in lines[1]
        rows = testbed("runs", "replay", str(RUN), "--data-dir", data_dir, "--json").out.splitlines()
        second = json.loads(rows[1])
        again = testbed("runs", "replay", str(RUN), "--from", str(second["seq"]), "--data-dir", data_dir, "--json").out
        assert json.loads(again) == second


class TestActing:
    def test_stop_where_nobody_runs_it(self, testbed: Testbed, data_dir: Path) -> None:
        TakenRun().started(status="paused")
        ended = testbed("runs", "stop", str(RUN), "--reason", "enough", "--data-dir", data_dir)
        assert ended.code == 0
        assert "is not running" in ended.out
        assert f"testbed run --resume {EXECUTION} --data-dir" in ended.out
        assert WorkflowExecution.objects.get().stop_reason == "enough"

    def test_retry(self, testbed: Testbed, data_dir: Path) -> None:
        taken = TakenRun()
        taken.started(status="paused")
        sample = taken.sample(taken.stf(1, slice_count=2))
        failed, done = taken.slice(sample, 0, WorkState.FAILED), taken.slice(sample, 1)
        wished = testbed("runs", "retry", str(RUN), failed.name, "--data-dir", data_dir, "--json").json
        assert (wished["slices"], wished["already"], wished["process"]) == ([failed.name], 0, None)
        ended = testbed("runs", "retry", str(RUN), "--reason", "mended", "--data-dir", data_dir)
        assert "1 slice of run 100010 will be tried once more when the execution is resumed" in ended.out
        assert f"testbed run --resume {EXECUTION} --data-dir" in ended.out
        assert testbed("runs", "retry", str(RUN), done.name, "--data-dir", data_dir).code == 2
        assert testbed("runs", "retry", str(RUN), "x", "--data-dir", data_dir).code == 4
        assert testbed("runs", "retry", "x", "--data-dir", data_dir).code == 4
        taken.ended(1, closed=True)
        refused = testbed("runs", "retry", str(RUN), "--data-dir", data_dir)
        assert refused.code == 2
        assert "is closed" in refused.err

    def test_prune(self, testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
        buffer = data_dir / "exit-buffer"
        buffer.mkdir()
        stf = buffer / "swf.100010.000001.stf"
        stf.write_bytes(b"x")
        dry = testbed("runs", "prune", "--older-than", "0s", "--dry-run", "--data-dir", data_dir)
        assert "1 STF, 1 kB, would be removed; 0 stay" in dry.out
        assert stf.exists()
        assert testbed("runs", "prune", "--older-than", "0s", "--data-dir", data_dir, "--json").json["bytes"] == 1000
        assert not stf.exists()

    def test_dead_letters(self, testbed: Testbed, data_dir: Path) -> None:
        pk = str(TakenRun().letter(body='{"x": 1}').pk)
        assert "DataError: it was registered" in testbed("dead-letters", "list", "--data-dir", data_dir).out
        assert 'body: {"x": 1}' in testbed("dead-letters", "show", pk, "--data-dir", data_dir).out
        assert "when a process runs here" in testbed("dead-letters", "redrive", pk, "--data-dir", data_dir).out
        again = testbed("dead-letters", "redrive", pk, "--data-dir", data_dir)
        assert again.code == 2
        assert "is retrying" in again.err

    def test_discarding_a_dead_letter(self, testbed: Testbed, data_dir: Path) -> None:
        pk = str(TakenRun().letter().pk)
        value = testbed("dead-letters", "discard", pk, "--reason", "a test", "--data-dir", data_dir, "--json").json
        assert value["state"] == "discarded"
        assert "no message waits" in testbed("dead-letters", "list", "--data-dir", data_dir).out
        assert pk in testbed("dead-letters", "list", "--all", "--data-dir", data_dir).out


class TestConfiguration:
    def test_workflows(self, testbed: Testbed) -> None:
        names = [each["name"] for each in testbed("workflows", "list", "--json").json["workflows"]]
        assert {"stf_datataking", "fast_processing", "prompt_processing"} <= set(names)
        assert "Fast processing of sampled time frames" in testbed("workflows", "list").out

    def test_a_workflow(self, testbed: Testbed) -> None:
        out = testbed("workflows", "show", "fast_processing").out
        assert "agent worker: Runs the payload on slices." in out
        assert "slices_per_sample = 15" in out
        assert testbed("workflows", "show", "stf_datataking", "--json").json["kind"] == "stf_datataking"

    def test_validating_a_file(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "mine.toml").write_text('[workflow]\nkind = "stf_datataking"\n[stf]\ntf_count = 5\n')
        assert testbed("workflows", "validate", "mine.toml").out.startswith("mine.toml: valid, of kind stf_datataking")
        (tmp_path / "mine.toml").write_text('[workflow]\nkind = "stf_datataking"\n[stf]\ntf_count = 0\nsed = 1\n')
        ended = testbed("workflows", "validate", "mine.toml")
        assert ended.code == 2
        assert "2 problems" in ended.err
        assert "mine.toml, line 4" in ended.err

    def test_where_values_come_from(self, testbed: Testbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "testbed.toml").write_text("[stf]\nseed = 9\n")
        monkeypatch.setenv("SWF_WORKERS", "3")
        ended = testbed("config", "show", "fast_processing", "--stf-count", "2", "--set", "stf.tf_count=70", "--json")
        values = {value["key"]: value for value in ended.json["values"]}
        assert values["fast_processing.stf_count"]["origin"] == "flag --stf-count"
        assert values["stf.tf_count"] == {"key": "stf.tf_count", "value": "70", "origin": "flag --set stf.tf_count"}
        assert values["stf.seed"]["origin"].endswith("testbed.toml, line 2")
        assert values["processing.workers"]["origin"] == "variable SWF_WORKERS"
        assert values["watcher.stall_s"]["origin"] == "default"
        assert "processing.workers" in testbed("config", "show", "fast_processing").out

    def test_the_users_file_chooses_the_workflow(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "testbed.toml").write_text('[workflow]\nname = "stf_datataking"\n')
        assert testbed("config", "show", "--json").json["workflow"] == "stf_datataking"

    def test_plan(self, testbed: Testbed) -> None:
        assert testbed("plan", "fast_processing", "--json").json["plan"]["workers_needed"] == 205
        ended = testbed("plan", "fast_processing", "--rate", "1.667")
        assert "workers needed   750 for real time" in ended.out

    def test_plan_of_a_workflow_that_gives_no_work(self, testbed: Testbed) -> None:
        assert "gives no work" in testbed("plan", "stf_datataking").out


def test_version_and_help(testbed: Testbed) -> None:
    assert testbed("--version").out.startswith("swf-testbed ")
    ended = testbed("run", "--help")
    assert ended.code == 0
    assert "--resume" in ended.out
    assert "--kill-at" not in ended.out


def test_instants_are_utc(testbed: Testbed, run: TakenRun, data_dir: Path) -> None:
    value = testbed("runs", "show", str(RUN), "--data-dir", data_dir, "--json").json
    assert value["started"] == f"{NOW:%Y-%m-%dT%H:%M:%S}.000000Z"
