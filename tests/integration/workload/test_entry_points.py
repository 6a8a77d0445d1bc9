"""Payloads that are entry points: in persistent children, one job after the other."""

from __future__ import annotations

import pytest
from workbench import MakeBench, entry

from swf.core.payload import Outcome, PayloadResult
from swf.core.times import ManualClock


def pid(result: PayloadResult) -> object:
    assert result.outcome is Outcome.OK, result
    return result.summary["pid"]


def test_a_child_imports_once_and_takes_one_job_after_the_other(bench: MakeBench) -> None:
    at = bench(entry("write"), size=2)
    for number in range(50):
        at.submit(str(number))
    results = at.take(50)
    assert {r.outcome for r in results.values()} == {Outcome.OK}
    assert {r.summary["pid"] for r in results.values()} == {r.summary["imported_by"] for r in results.values()}
    assert len({r.summary["pid"] for r in results.values()}) <= 2
    output = results["7"].output
    assert output is not None
    assert output.read_text().endswith("/in.stf 3 9 100 write")


def test_a_failure_has_its_trace_and_the_child_goes_on(bench: MakeBench) -> None:
    at = bench(entry())
    before = at.run()
    failed = at.run("fail")
    after = at.run()
    assert (failed.outcome, failed.detail) == (Outcome.CRASHED, "it raised RuntimeError: this one failed")
    assert "Traceback" in failed.stderr_tail
    assert not (at.outputs / "only.root.json").exists()
    assert pid(before) == pid(after)


def test_only_what_this_job_printed_is_kept(bench: MakeBench) -> None:
    at = bench(entry())
    for key in ("first", "second"):
        at.submit(key, "fail")
    tail = at.take(2)["second"].stderr_tail
    assert "printed by second" in tail
    assert "printed by first" not in tail


@pytest.mark.parametrize(
    ("what", "exit_code", "words"),
    [
        ("segfault", -11, "SIGSEGV"),
        ("leave_at_once", 0, "before its job was done"),
        ("close_everything", -15, "the channel was closed"),
        ("write_rubbish", -15, "rubbish"),
        ("forge_a_result", -15, "4711"),
        ("kill_the_keeper", None, "keeper ended unexpectedly"),
    ],
)
def test_a_child_that_dies_or_is_not_understood_is_replaced(
    bench: MakeBench, what: str, exit_code: int | None, words: str
) -> None:
    at = bench(entry())
    before = at.run()
    result = at.run(what)
    assert (result.outcome, result.exit_code) == (Outcome.CRASHED, exit_code)
    assert words in result.detail
    assert "printed by only" in result.stderr_tail
    assert pid(at.run()) != pid(before)


def test_the_others_do_not_notice(bench: MakeBench) -> None:
    at = bench(entry(), size=2)
    crashing = {str(number) for number in range(0, 40, 4)}
    for number in range(40):
        at.submit(str(number), "segfault" if str(number) in crashing else "write")
    results = at.take(40)
    assert {key for key, r in results.items() if r.outcome is Outcome.CRASHED} == crashing
    assert {r.outcome for key, r in results.items() if key not in crashing} == {Outcome.OK}


def test_a_fork_that_holds_the_channel_open_hides_no_crash_and_ends(bench: MakeBench) -> None:
    at = bench(entry())
    pipe = at.open_pipe()
    at.submit("k", "fork_and_crash", str(at.pipe))
    pipe.holders(1)
    result = at.take()["k"]
    assert (result.outcome, result.exit_code) == (Outcome.CRASHED, -11)
    pipe.wait_until_all_are_gone()


def test_streams_that_a_payload_closes_are_no_failure(bench: MakeBench) -> None:
    at = bench(entry())
    assert pid(at.run("replace_streams")) == pid(at.run())


def test_nothing_written_is_a_failure(bench: MakeBench) -> None:
    result = bench(entry("write_nothing")).run()
    assert (result.outcome, result.exit_code, result.summary) == (Outcome.NO_OUTPUT, 0, {})


def test_too_much_memory_ends_the_child(bench: MakeBench) -> None:
    at = bench(entry(memory_mb=120))
    result = at.run("eat")
    assert result.outcome is Outcome.OUT_OF_MEMORY
    assert "its limit is 120 MB" in result.detail
    assert at.run().outcome is Outcome.OK


def test_one_that_hangs_is_ended_with_its_forks(bench: MakeBench) -> None:
    clock = ManualClock()
    at = bench(entry(timeout_s=50), clock=clock)
    pipe = at.open_pipe()
    at.submit("k", "hold_with_a_fork", str(at.pipe))
    pipe.holders(2)
    clock.advance(51)
    result = at.take()["k"]
    assert (result.outcome, result.exit_code) == (Outcome.TIMED_OUT, -9)
    pipe.wait_until_all_are_gone()
    assert at.run().outcome is Outcome.OK


@pytest.mark.parametrize(
    ("when", "words", "exit_code"),
    [
        ("raise", "RuntimeError: not today", None),
        ("exit", "cannot be imported: SystemExit", None),
        ("segfault", "when imported, it was ended by signal 11 (SIGSEGV)", -11),
    ],
)
def test_an_entry_point_that_cannot_be_imported_says_why(
    bench: MakeBench, when: str, words: str, exit_code: int | None
) -> None:
    at = bench(entry(module="broken_imports", environment=(f"WHEN_IMPORTED={when}",)))
    at.pool.prewarm()
    for _ in range(2):
        result = at.run()
        assert (result.outcome, result.exit_code) == (Outcome.NOT_STARTED, exit_code)
        assert words in result.detail
        assert "importing" in result.stderr_tail


def test_an_import_that_hangs_runs_into_the_time_limit(bench: MakeBench) -> None:
    clock = ManualClock()
    at = bench(entry(module="broken_imports", environment=("WHEN_IMPORTED=hang",), timeout_s=20), clock=clock)
    at.submit("k")
    while not at.pool.running():
        pass
    clock.advance(21)
    result = at.take()["k"]
    assert result.outcome is Outcome.TIMED_OUT
    assert "imported" in result.detail


@pytest.mark.parametrize(
    ("module", "function", "words"),
    [("no_such_module", "f", "ModuleNotFoundError"), ("misbehaving", "absent", "no function 'absent'")],
)
def test_an_entry_point_that_does_not_exist_is_not_started(
    bench: MakeBench, module: str, function: str, words: str
) -> None:
    result = bench(entry(function, module)).run()
    assert result.outcome is Outcome.NOT_STARTED
    assert words in result.detail


def test_no_secret_reaches_a_child(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWF_DATABASE_PASSWORD", "a-secret")
    at = bench(entry("environment", expects_output=False))
    summary = at.run().summary
    assert "a-secret" not in str(summary)
    assert str(summary["cwd"]).startswith(str(at.scratch))
    assert summary["sockets"] == 1, "its channel, and no socket of its keeper"
