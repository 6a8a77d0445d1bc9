"""Bad input: an exit code, one clear message that names what to do, no traceback, and nothing made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connections
from shell import Testbed

from taken_run import EXECUTION, RUN, TakenRun

USAGE, FAILED, NOT_FOUND, BUSY = 2, 1, 4, 5

BEFORE_ANYTHING_IS_MADE = [
    ("no command", [], USAGE, ""),
    ("an unknown command", ["rnu"], USAGE, "No such command 'rnu'"),
    ("an unknown option", ["run", "--fast"], USAGE, "No such option: --fast"),
    ("an unknown noun's verb", ["runs", "delete"], USAGE, "No such command 'delete'"),
    ("no workflow", ["run"], USAGE, "no workflow is named: name one of fast_processing"),
    ("an unknown workflow", ["run", "fast_procesing"], NOT_FOUND, "did you mean fast_processing?"),
    ("a workflow as a path out of here", ["run", "../secret.toml"], USAGE, "there is no such file"),
    ("a workflow that is a folder", ["run", "./"], USAGE, "is a folder"),
    ("a workflow with a NUL", ["run", "x\0y.toml"], NOT_FOUND, "there is no workflow"),
    ("a part that is no workflow", ["run", "daq_state_machine"], USAGE, "is no workflow but a part"),
    ("a workflow whose agent is to come", ["run", "prompt_processing"], USAGE, "no agent for its role prompt_proc"),
    ("a setting without value", ["run", "fast_processing", "--set", "stf.seed"], USAGE, "expected section.key=value"),
    ("a setting without section", ["run", "fast_processing", "--set", "seed=1"], USAGE, "did you mean stf.seed?"),
    ("an unknown section", ["run", "fast_processing", "--set", "sft.seed=1"], USAGE, "[sft]: unknown section"),
    ("an unknown key", ["run", "fast_processing", "--set", "stf.sed=1"], USAGE, "did you mean seed?"),
    ("a value out of range", ["run", "fast_processing", "--set", "stf.tf_count=0"], USAGE, "from 1 to 1000"),
    ("a value of another type", ["run", "fast_processing", "--set", "stf.tf_count=many"], USAGE, "a whole number"),
    ("a section of another kind", ["run", "stf_datataking", "--set", "payload.name=x"], USAGE, "unused: [payload]"),
    (
        "settings that contradict",
        ["run", "fast_processing", "--set", "fast_processing.tf_files_per_sample=20"],
        USAGE,
        "expected at most 15 files",
    ),
    (
        "one key twice",
        ["run", "fast_processing", "--stf-count", "1", "--set", "fast_processing.stf_count=2"],
        USAGE,
        "twice",
    ),
    ("a count that is no number", ["run", "fast_processing", "--stf-count", "ten"], USAGE, "--stf-count"),
    ("a count below zero", ["run", "fast_processing", "--stf-count", "-1"], USAGE, "from 0 to 999999"),
    ("a user's file that is not there", ["run", "fast_processing", "--config", "no.toml"], USAGE, "no such file"),
    ("a user's file that is a folder", ["run", "fast_processing", "--config", "."], USAGE, "is a folder"),
    ("an input that is not there", ["run", "fast_processing", "--input", "no.root"], USAGE, "no such file"),
    ("an input that is a folder", ["run", "fast_processing", "--input", "."], USAGE, "no such file"),
    ("a namespace with a slash", ["run", "fast_processing", "--namespace", "a/b"], USAGE, "is not a namespace"),
    ("an empty namespace", ["runs", "list", "--namespace", ""], USAGE, "is not a namespace"),
    ("a boundary without count", ["run", "fast_processing", "--kill-at", "data.after_commit:x"], USAGE, "NAME:N"),
    ("a payload as shell text", ["run", "fast_processing", "--set", "payload.command=rm -rf /"], USAGE, "a list"),
    ("a payload without a way to run", ["run", "fast_processing", "--set", "payload.name=mine"], USAGE, "entry_point"),
    ("a plan at no rate", ["plan", "fast_processing", "--rate", "0"], USAGE, "expected more than 0"),
    ("a plan at a rate that is none", ["plan", "fast_processing", "--rate", "nan"], USAGE, "expected more than 0"),
    ("a plan with a word for a rate", ["plan", "fast_processing", "--rate", "fast"], USAGE, "--rate"),
    ("a plan of an unknown workflow", ["plan", "nothing"], NOT_FOUND, "there is no workflow"),
    ("the configuration of an unknown workflow", ["config", "show", "nothing"], NOT_FOUND, "there is no workflow"),
    ("an unknown workflow to show", ["workflows", "show", "nothing"], NOT_FOUND, "there is no workflow"),
    ("a file to validate that is not there", ["workflows", "validate", "no.toml"], USAGE, "no such file"),
    ("an age without unit", ["runs", "prune", "--older-than", "72"], USAGE, "for example 72h"),
    ("an age below zero", ["runs", "prune", "--older-than", "-1h"], USAGE, "for example 72h"),
    ("a pace below zero", ["runs", "replay", "1", "--speed", "-1"], USAGE, "--speed"),
    ("a dead letter that is no number", ["dead-letters", "show", "first"], USAGE, "ID"),
    ("a dead letter given up without reason", ["dead-letters", "discard", "1"], USAGE, "--reason"),
    ("no data directory: list", ["runs", "list"], NOT_FOUND, "there is no data directory"),
    ("no data directory: show", ["runs", "show", "1"], NOT_FOUND, "there is no data directory"),
    ("no data directory: explain", ["runs", "explain", "1"], NOT_FOUND, "make one with: testbed run"),
    ("no data directory: ledger", ["runs", "ledger", "1"], NOT_FOUND, "there is no data directory"),
    ("no data directory: replay", ["runs", "replay", "1"], NOT_FOUND, "there is no data directory"),
    ("no data directory: stop", ["runs", "stop", "1"], NOT_FOUND, "there is no data directory"),
    ("no data directory: prune", ["runs", "prune"], NOT_FOUND, "there is no data directory"),
    ("no data directory: resume", ["run", "--resume", EXECUTION], NOT_FOUND, "there is no data directory"),
    ("no data directory: letters", ["dead-letters", "list"], NOT_FOUND, "there is no data directory"),
    ("no data directory: redrive", ["dead-letters", "redrive", "1"], NOT_FOUND, "there is no data directory"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [case[1:] for case in BEFORE_ANYTHING_IS_MADE],
    ids=[c[0] for c in BEFORE_ANYTHING_IS_MADE],
)
class TestBeforeAnythingIsMade:
    def test_is_refused_with_words(
        self, testbed: Testbed, tmp_path: Path, arguments: list[str], code: int, said: str
    ) -> None:
        ended = testbed(*arguments)
        assert ended.code == code
        assert said in ended.err
        assert list(tmp_path.iterdir()) == []

    def test_with_json_an_object_says_the_same(
        self, testbed: Testbed, tmp_path: Path, arguments: list[str], code: int, said: str
    ) -> None:
        ended = testbed(*arguments, "--json") if arguments else testbed("run", "--json")
        error = ended.json["error"]
        assert error["exit_code"] == ended.code
        assert not arguments or said in error["message"]
        assert list(tmp_path.iterdir()) == []


IN_A_DATA_DIRECTORY = [
    ("an unknown run", ["runs", "show", "5"], NOT_FOUND, "there is no run 5 here"),
    ("a near run", ["runs", "ledger", "100011"], NOT_FOUND, "did you mean 100010?"),
    ("no run number", ["runs", "show", "last"], NOT_FOUND, "is not a run number"),
    ("a run number of many digits", ["runs", "replay", "9" * 30], NOT_FOUND, "is not a run number"),
    ("a name that nothing has", ["runs", "explain", "x"], NOT_FOUND, "nothing here is named 'x'"),
    ("a path for a name", ["runs", "explain", "../../etc/passwd"], NOT_FOUND, "nothing here is named"),
    ("an STF that the run does not have", ["runs", "explain", "swf.100010.000009.stf"], NOT_FOUND, "has 1 STFs"),
    (
        "a run of another namespace",
        ["runs", "show", "100010", "--namespace", "other"],
        NOT_FOUND,
        "in namespace 'other'",
    ),
    ("a run that has ended", ["runs", "stop", "100010"], USAGE, "is announced already"),
    ("an unknown dead letter", ["dead-letters", "show", "7"], NOT_FOUND, "there is no dead letter 7"),
    ("a letter to redrive that is none", ["dead-letters", "redrive", "7"], NOT_FOUND, "there is no dead letter 7"),
    ("an unknown execution", ["run", "--resume", "nothing"], NOT_FOUND, "there is no execution 'nothing'"),
    ("an execution that has ended", ["run", "--resume", EXECUTION], USAGE, "nothing to go on with"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [case[1:] for case in IN_A_DATA_DIRECTORY],
    ids=[case[0] for case in IN_A_DATA_DIRECTORY],
)
def test_in_a_data_directory(testbed: Testbed, data_dir: Path, arguments: list[str], code: int, said: str) -> None:
    run = TakenRun()
    run.started(status="completed")
    run.processed_stf(1)
    run.ended(1, closed=True)
    ended = testbed(*arguments, "--data-dir", data_dir, "--json")
    assert ended.code == code
    assert said in ended.err
    assert ended.json["error"]["exit_code"] == code


class TestResuming:
    @pytest.fixture
    def paused(self, data_dir: Path) -> Path:
        TakenRun().started(status="paused")
        return data_dir

    def test_with_a_workflow_as_well(self, testbed: Testbed, paused: Path) -> None:
        ended = testbed("run", "fast_processing", "--resume", EXECUTION, "--data-dir", paused)
        assert ended.code == USAGE
        assert "leave out 'fast_processing'" in ended.err

    def test_in_another_namespace(self, testbed: Testbed, paused: Path) -> None:
        ended = testbed("run", "--resume", EXECUTION, "--namespace", "other", "--data-dir", paused)
        assert ended.code == USAGE
        assert "belongs to namespace testbed" in ended.err

    def test_with_a_wrong_setting(self, testbed: Testbed, paused: Path) -> None:
        ended = testbed("run", "--resume", EXECUTION, "--set", "stf.sed=1", "--data-dir", paused)
        assert ended.code == USAGE
        assert "did you mean seed?" in ended.err

    def test_while_another_process_is_at_work(self, testbed: Testbed, paused: Path) -> None:
        from swf.service.workspace import Workspace

        with Workspace(root=paused).locked():
            ended = testbed("run", "--resume", EXECUTION, "--data-dir", paused)
        assert ended.code == BUSY
        assert f"is in use by process {os.getpid()}" in ended.err


class TestDataDirectories:
    def test_one_that_is_a_file(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        ended = testbed("run", "fast_processing", "--data-dir", "file")
        assert ended.code == FAILED
        assert "cannot be written" in ended.err
        assert "--data-dir" in ended.err

    def test_one_below_a_file(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert testbed("run", "fast_processing", "--data-dir", "file/below").code == FAILED
        assert testbed("runs", "list", "--data-dir", "file/below").code == NOT_FOUND

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_one_that_may_not_be_written(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0o500)
        ended = testbed("run", "fast_processing", "--data-dir", "closed")
        assert ended.code == FAILED
        assert "cannot be written" in ended.err

    def test_one_on_a_file_system_without_files(self, testbed: Testbed) -> None:
        ended = testbed("run", "fast_processing", "--data-dir", "/proc/swf-data")
        assert ended.code == FAILED
        assert "the data directory /proc/swf-data cannot be written" in ended.err

    def test_one_without_a_store(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        ended = testbed("runs", "list", "--data-dir", "empty")
        assert ended.code == NOT_FOUND
        assert "there is no store in the data directory" in ended.err
        assert list((tmp_path / "empty").iterdir()) == []

    def test_a_store_that_is_none(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "swf.sqlite3").write_bytes(b"this is not a database at all, but a text of some length" * 20)
        for command in (["runs", "list"], ["dead-letters", "redrive", "1"], ["run", "fast_processing"]):
            ended = testbed(*command, "--data-dir", tmp_path)
            assert ended.code == FAILED
            assert "not a database" in ended.err

    def test_a_store_without_tables(self, testbed: Testbed, tmp_path: Path) -> None:
        (tmp_path / "swf.sqlite3").write_bytes(b"")
        ended = testbed("runs", "list", "--data-dir", tmp_path)
        assert ended.code == FAILED
        assert "another version of this program" in ended.err

    def test_reading_changes_nothing(self, testbed: Testbed, data_dir: Path) -> None:
        TakenRun().started()
        connections.close_all()
        before = (data_dir / "swf.sqlite3").read_bytes()
        for command in (["runs", "list"], ["runs", "show", str(RUN)], ["runs", "explain", EXECUTION]):
            assert testbed(*command, "--data-dir", data_dir).code == 0
        assert (data_dir / "swf.sqlite3").read_bytes() == before
        assert not (data_dir / "exit-buffer").exists()
