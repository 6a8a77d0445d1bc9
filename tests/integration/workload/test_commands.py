"""Payloads that are commands: each in a process of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from workbench import MakeBench, python, shell

from swf.core.payload import Outcome, PayloadSpec
from swf.core.times import ManualClock
from swf.workload.endings import TAIL_CHARACTERS


def test_a_command_gets_its_arguments_as_they_are(bench: MakeBench) -> None:
    spec = PayloadSpec(
        name="p",
        command=("sh", "-c", 'printf "%s|" "$@" >"$0"', "{output}", "{first}-{last}", "{run}", "{slice}", "{input}"),
    )
    at = bench(spec)
    result = at.run("$(touch here); `id` 'x' {first}", "root://host//a b.stf")
    assert result.outcome is Outcome.OK
    assert result.output is not None
    assert result.output.read_text() == "3-9|100|$(touch here); `id` 'x' {first}|root://host//a b.stf|"
    assert result.exit_code == 0
    assert result.stderr_tail == ""


def test_a_command_may_leave_a_summary(bench: MakeBench) -> None:
    result = bench(shell("""echo x >"$1"; echo '{"hits": 12}' >"$1.json" """)).run()
    assert result.outcome is Outcome.OK
    assert result.summary == {"hits": 12}


def test_a_summary_that_is_no_json_object_is_no_output(bench: MakeBench) -> None:
    at = bench(shell("""echo x >"$1"; echo '{"hits": ' >"$1.json" """))
    result = at.run()
    assert result.outcome is Outcome.NO_OUTPUT
    assert "is not JSON" in result.detail
    assert list(at.outputs.iterdir()) == []


@pytest.mark.parametrize("text", ["true", ': >"$1"', 'mkdir "$1"'])
def test_no_output_is_a_failure(bench: MakeBench, text: str) -> None:
    result = bench(shell(text)).run()
    assert result.outcome is Outcome.NO_OUTPUT
    assert result.exit_code == 0
    assert "only.root" in result.detail


def test_no_output_is_fine_where_none_is_expected(bench: MakeBench) -> None:
    result = bench(PayloadSpec(name="p", command=("true",), expects_output=False)).run()
    assert (result.outcome, result.output) == (Outcome.OK, None)


def test_an_older_output_does_not_pass_for_new(bench: MakeBench) -> None:
    at = bench(shell("true"))
    at.outputs.mkdir()
    (at.outputs / "only.root").write_text("old", encoding="utf-8")
    assert at.run().outcome is Outcome.NO_OUTPUT


def test_an_exit_code_and_the_end_of_standard_error_are_kept(bench: MakeBench) -> None:
    at = bench(shell('echo half >"$1"; yes 0123456789 | head -c 100000 >&2; echo last words >&2; exit 3'))
    result = at.run()
    assert (result.outcome, result.exit_code) == (Outcome.CRASHED, 3)
    assert result.stderr_tail.endswith("last words\n")
    assert len(result.stderr_tail) == TAIL_CHARACTERS
    assert result.output is None
    assert list(at.outputs.iterdir()) == []


def test_only_what_this_attempt_printed_is_kept(bench: MakeBench) -> None:
    at = bench(shell('basename "$1" >&2; exit 3'))
    for key in ("first", "second"):
        at.submit(key)
    assert {key: r.stderr_tail for key, r in at.take(2).items()} == {"first": "first.root\n", "second": "second.root\n"}


def test_a_segmentation_fault_is_kept(bench: MakeBench) -> None:
    result = bench(python("segfault")).run()
    assert (result.outcome, result.exit_code) == (Outcome.CRASHED, -11)
    assert "SIGSEGV" in result.detail


def test_one_that_hangs_and_ignores_the_polite_signal_is_ended_with_all_it_started(bench: MakeBench) -> None:
    clock = ManualClock()
    at = bench(python("hold_with_a_fork", timeout_s=100), clock=clock)
    pipe = at.open_pipe()
    at.submit("k", address=str(at.pipe))
    pipe.holders(2)
    clock.advance(101)
    result = at.take()["k"]
    assert (result.outcome, result.exit_code) == (Outcome.TIMED_OUT, -9)
    assert "100 s" in result.detail
    assert result.seconds == 101
    pipe.wait_until_all_are_gone()


def test_what_a_payload_leaves_running_ends_with_it(bench: MakeBench) -> None:
    at = bench(shell('setsid sh -c \'exec 9>"$1"; echo 1 1 >&9; sleep 1000\' sh "$2" & echo x >"$1"; read _ <"$2.go"'))
    pipe = at.open_pipe()
    go = Path(f"{at.pipe}.go")
    os.mkfifo(go)
    at.submit("k", address=str(at.pipe))
    pipe.holders(1)
    go.write_text("\n", encoding="utf-8")
    assert at.take()["k"].outcome is Outcome.OK
    pipe.wait_until_all_are_gone()


def test_too_much_memory_ends_it(bench: MakeBench) -> None:
    result = bench(python("eat", memory_mb=100)).run()
    assert result.outcome is Outcome.OUT_OF_MEMORY
    assert "its limit is 100 MB" in result.detail


def test_memory_of_what_it_starts_counts(bench: MakeBench) -> None:
    spec = python("eat", memory_mb=100)
    through_a_shell = PayloadSpec(
        name="p", command=("sh", "-c", 'setsid "$@" & wait', "sh", *spec.command), memory_mb=100
    )
    assert bench(through_a_shell).run().outcome is Outcome.OUT_OF_MEMORY


@pytest.mark.parametrize("stream", [1, 2])
def test_what_is_printed_without_end_is_cut_while_it_runs(bench: MakeBench, stream: int) -> None:
    text = (
        "import os\n"
        f"for _ in range(64): os.write({stream}, b'x' * 1_000_000)\n"
        f"while os.fstat({stream}).st_blocks > 1_000: pass\n"
        f"os.write({stream}, b'the end'); os._exit(4)"
    )
    command = ("python3", "-c", text, "{output}")
    result = bench(PayloadSpec(name="p", command=command)).run()
    assert (result.outcome, result.exit_code) == (Outcome.CRASHED, 4)
    assert result.stderr_tail.endswith("the end")
    assert len(result.stderr_tail) <= TAIL_CHARACTERS


def test_one_that_closes_its_streams_is_heard_all_the_same(bench: MakeBench) -> None:
    assert bench(shell('echo x >"$1"; exec 0<&- 1>&- 2>&-; exit 5')).run().exit_code == 5


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (None, 0, "No such file"),
        ("#!/bin/sh\n", 0o644, "Permission denied"),
        ("#!/no/such/interpreter\n", 0o755, "No such file"),
        ("no format at all", 0o755, "Exec format error"),
    ],
)
def test_a_command_that_cannot_run_says_why(
    bench: MakeBench, tmp_path: Path, content: str | None, mode: int, reason: str
) -> None:
    program = tmp_path / "program"
    if content is not None:
        program.write_text(content, encoding="utf-8")
        program.chmod(mode)
    result = bench(PayloadSpec(name="p", command=(str(program), "{output}"))).run()
    assert (result.outcome, result.exit_code) == (Outcome.NOT_STARTED, None)
    assert reason in result.detail
    assert str(program) in result.detail


def test_a_program_that_is_nowhere_on_the_path_says_so(bench: MakeBench) -> None:
    result = bench(PayloadSpec(name="p", command=("no-such-program-here", "{output}"))).run()
    assert result.outcome is Outcome.NOT_STARTED
    assert "on PATH" in result.detail


def test_an_argument_list_that_is_too_long_is_not_started(bench: MakeBench) -> None:
    at = bench(PayloadSpec(name="p", command=("true", "x" * 3_000_000, "{output}")))
    for _ in range(2):
        assert at.run().outcome is Outcome.NOT_STARTED


def test_an_output_folder_that_cannot_be_made_is_told(bench: MakeBench) -> None:
    at = bench(shell('echo x >"$1"'))
    at.outputs.write_text("a file is in the way", encoding="utf-8")
    result = at.run()
    assert result.outcome is Outcome.NOT_STARTED
    assert "outputs" in result.detail


def test_no_secret_and_no_open_file_reaches_a_payload(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWF_DATABASE_PASSWORD", "a-secret")
    monkeypatch.setenv("CONDITIONS", "/cvmfs/conditions")
    text = (
        "import json, os, sys\n"
        "found = dict(variables=dict(os.environ), files=os.listdir('/proc/self/fd'))\n"
        "json.dump(found, open(sys.argv[1], 'w'))"
    )
    spec = PayloadSpec(name="p", command=("python3", "-c", text, "{output}"), environment=("CONDITIONS", "LIMIT=7"))
    output = bench(spec).run().output
    assert output is not None
    found = json.loads(output.read_text())
    assert "a-secret" not in output.read_text()
    assert found["variables"]["CONDITIONS"] == "/cvmfs/conditions"
    assert found["variables"]["LIMIT"] == "7"
    assert len(found["files"]) == 4, "the three streams, and the listing itself"


def test_each_command_works_in_an_empty_folder_of_its_own(bench: MakeBench) -> None:
    at = bench(shell('ls -A >"$1.listing"; touch left-behind "$TMPDIR/temporary"; echo x >"$1"'))
    for key in ("a", "b"):
        at.submit(key)
    assert {result.outcome for result in at.take(2).values()} == {Outcome.OK}
    assert [(at.outputs / f"{key}.root.listing").read_text() for key in ("a", "b")] == ["", ""]
