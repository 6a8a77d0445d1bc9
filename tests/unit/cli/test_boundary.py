"""The error boundary, the table of exit codes, and what the commands say of themselves."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError
from shell import Testbed

from swf.cli import dead_letters, plan, retries, runs, stfs
from swf.cli.boundary import guarded
from swf.cli.exit_codes import MEANINGS, ExitCode, code_of, table
from swf.core import errors
from swf.epic.usecases import explain, planning, prune, replay, summary
from swf.epic.usecases import retries as retry_cases
from swf.epic.usecases import runs as run_cases
from swf.epic.usecases import stfs as stf_cases
from swf.service.queries import dead_letters as letter_cases


def fails(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.IllegalMoveError("x"), 2),
        (errors.UnknownNameError("x"), 4),
        (errors.BusyError("x"), 5),
        (errors.StorageError("x"), 1),
        (errors.PayloadError("x"), 1),
        (errors.DataError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_becomes_a_line_and_a_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(fails(error), []) == code
    captured = capsys.readouterr()
    assert captured.err.startswith("testbed: ")
    assert captured.out == ""


def test_a_server_that_fails_in_the_midst_of_a_command_is_no_trouble_of_the_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    psycopg = pytest.importorskip("psycopg", reason="needs swf-testbed[services]")
    lost = OperationalError("server closed the connection unexpectedly\n\tThis probably means the server terminated")
    lost.__cause__ = psycopg.OperationalError(str(lost))
    assert guarded(fails(lost), ["run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["type"] == "ServiceError"
    assert told["message"].startswith("the database failed: server closed the connection unexpectedly. What was being")
    assert "folder" not in told["message"]


def test_with_json_the_error_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(fails(errors.BusyError("in use")), ["runs", "--json"])
    assert json.loads(capsys.readouterr().out) == {"error": {"type": "BusyError", "message": "in use", "exit_code": 5}}


def test_a_missing_permission_is_no_fault_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(fails(PermissionError(13, "Permission denied", "/data/x")), []) == 1
    assert capsys.readouterr().err.startswith("testbed: /data/x: permission denied: give this user access")


def test_a_store_of_another_version_is_told_how_to_come_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(fails(OperationalError("no such column: x.y")), ["--data-dir", "/data"]) == 1
    assert "testbed db upgrade --data-dir /data" in capsys.readouterr().err


class TestUnexpected:
    def test_its_traceback_goes_to_the_logs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "logs").mkdir()
        assert guarded(fails(ZeroDivisionError("of nothing")), [f"--data-dir={tmp_path}"]) == 1
        (log,) = (tmp_path / "logs").iterdir()
        err = capsys.readouterr().err
        assert err == f"testbed: unexpected ZeroDivisionError: of nothing; the details are in {log}\n"
        assert "Traceback" in log.read_text()

    def test_without_a_data_directory_to_a_temporary_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
        guarded(fails(ZeroDivisionError()), [])
        assert len(list(tmp_path.glob("testbed-error-*.log"))) == 1
        assert "Traceback" not in capsys.readouterr().err

    def test_to_none_where_none_can_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a file").touch()
        monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "a file"))
        assert guarded(fails(ZeroDivisionError()), ["--data-dir", str(tmp_path / "a file")]) == 1
        assert "no file, as none could be written" in capsys.readouterr().err

    def test_shown_where_it_is_asked_for(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "logs").mkdir()
        guarded(fails(ZeroDivisionError()), ["-v", "--data-dir", str(tmp_path)])
        assert "Traceback" in capsys.readouterr().err


class TestExitCodes:
    def test_each_has_a_meaning(self) -> None:
        assert set(MEANINGS) == set(ExitCode)

    def test_each_error_has_a_code(self) -> None:
        kinds = [e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, errors.SwfError)]
        assert len(kinds) > 15
        assert all(code_of(kind.__new__(kind)) in ExitCode for kind in kinds)

    def test_the_table(self) -> None:
        assert "| 130 | interrupted; it can be resumed |" in table()

    def test_the_help_names_each(self, testbed: Testbed) -> None:
        text = testbed("--help").out
        assert all(f" {code.value} " in text for code in ExitCode)


@pytest.mark.parametrize(
    ("command", "case"),
    [
        (plan.plan, planning.plan_workflow),
        (runs.runs_show, summary.run_summary),
        (runs.runs_ledger, summary.run_ledger),
        (runs.runs_explain, explain.explain),
        (runs.runs_replay, replay.replay),
        (runs.runs_stop, run_cases.stop_run),
        (stfs.runs_stfs, stf_cases.list_stfs),
        (retries.runs_retry, retry_cases.retry_slices),
        (runs.runs_prune, prune.prune),
        (dead_letters.letters_show, letter_cases.show_letter),
        (dead_letters.letters_redrive, letter_cases.redrive_letter),
        (dead_letters.letters_discard, letter_cases.discard_letter),
    ],
)
def test_a_command_says_what_its_use_case_says(command: object, case: object) -> None:
    """The first sentence; a command adds what its options do, a use case what its arguments are."""
    said, meant = (inspect.getdoc(each) or "" for each in (command, case))
    assert _first_sentence(said) == _first_sentence(meant)


def test_a_list_is_called_the_same() -> None:
    assert _first_sentence(inspect.getdoc(runs.runs_list) or "") == run_cases.RUNS.text.rstrip(".")


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return paragraph.split(". ")[0].split("; with ")[0].rstrip(".")


def test_the_command_is_quick_to_start() -> None:
    """Nothing heavy is imported before a command needs it."""
    heavy = ("django", "pydantic", "uproot", "numpy", "awkward", "simpy", "structlog", "rich.live")
    code = f"import sys, swf.cli.main; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
