from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from swf.core.payload import Outcome, PayloadJob, PayloadSpec
from swf.workload.endings import (
    LARGEST_SUMMARY,
    TAIL_CHARACTERS,
    Ending,
    clear_output,
    judge_ending,
    output_problem,
    read_summary,
    read_tail,
    summary_path,
)

SPEC = PayloadSpec(name="p", command=("x", "{output}"), memory_mb=100)
SILENT = PayloadSpec(name="p", command=("x",), expects_output=False)


def job(output: Path) -> PayloadJob:
    return PayloadJob(key="k", input="i", first=0, last=0, output=output, run=1, slice="s")


@pytest.mark.parametrize(
    ("ending", "outcome", "words"),
    [
        (Ending(exit_code=0), Outcome.OK, ""),
        (Ending(exit_code=3), Outcome.CRASHED, "exit code 3"),
        (Ending(exit_code=-11), Outcome.CRASHED, "SIGSEGV"),
        (Ending(exit_code=-9), Outcome.CRASHED, "SIGKILL"),
        (Ending(exit_code=-40), Outcome.CRASHED, "signal 40"),
        (Ending(exit_code=-9, over_memory_mb=123), Outcome.OUT_OF_MEMORY, "123 MB, its limit is 100 MB"),
        (Ending(exit_code=-9, oom_killed=True), Outcome.OUT_OF_MEMORY, "kernel"),
        (Ending(exit_code=137, oom_killed=True), Outcome.OUT_OF_MEMORY, "kernel"),
    ],
)
def test_the_end_of_a_process_tells_the_outcome(ending: Ending, outcome: Outcome, words: str) -> None:
    judged, detail = judge_ending(ending, SPEC)
    assert judged is outcome
    assert words in detail


def test_an_output_has_to_be_a_file_with_content(tmp_path: Path) -> None:
    output = tmp_path / "o.root"
    assert "not there" in output_problem(SPEC, job(output))
    output.touch()
    assert "empty" in output_problem(SPEC, job(output))
    output.write_bytes(b"x")
    assert output_problem(SPEC, job(output)) == ""
    assert "not a file" in output_problem(SPEC, job(tmp_path))
    assert output_problem(SILENT, job(tmp_path / "none")) == ""


def test_what_an_earlier_attempt_left_cannot_pass_for_new(tmp_path: Path) -> None:
    output = tmp_path / "deep" / "er" / "o.root"
    clear_output(SPEC, job(output))
    output.write_bytes(b"old")
    summary_path(output).write_text("{}", encoding="utf-8")
    clear_output(SPEC, job(output))
    assert list(output.parent.iterdir()) == []


def test_a_folder_is_not_touched_where_no_output_is_expected(tmp_path: Path) -> None:
    output = tmp_path / "o.root"
    output.write_bytes(b"mine")
    clear_output(SILENT, job(output))
    assert output.read_bytes() == b"mine"


def test_a_summary_is_read_from_beside_the_output(tmp_path: Path) -> None:
    output = tmp_path / "o.root"
    assert read_summary(output) == {}
    (tmp_path / "o.root.json").write_text('{"hits": 3}', encoding="utf-8")
    assert read_summary(output) == {"hits": 3}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"a": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": "' + b"x" * LARGEST_SUMMARY + b'"}',
    ],
    ids=["empty", "cut", "list", "null", "nan", "binary", "deep", "large"],
)
def test_a_summary_that_is_not_a_json_object_is_refused(tmp_path: Path, data: bytes) -> None:
    output = tmp_path / "o.root"
    summary_path(output).write_bytes(data)
    with pytest.raises(ValueError, match=r"o\.root\.json"):
        read_summary(output)


def test_a_pipe_in_place_of_a_summary_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "o.root.json")
    with pytest.raises(ValueError, match="not a file"):
        read_summary(tmp_path / "o.root")


def test_the_tail_is_the_end_of_standard_error(tmp_path: Path) -> None:
    assert read_tail(tmp_path) == ""
    (tmp_path / "stdout").write_text("out", encoding="utf-8")
    (tmp_path / "stderr").write_text(" \n", encoding="utf-8")
    assert read_tail(tmp_path) == "out"
    (tmp_path / "stderr").write_bytes(b"a" * 10_000 + b"\0\xff last words")
    tail = read_tail(tmp_path)
    assert len(tail) == TAIL_CHARACTERS
    assert tail.endswith("aa\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} last words")
    json.dumps(tail)


def test_a_pipe_in_place_of_what_was_printed_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stderr")
    assert read_tail(tmp_path) == ""
