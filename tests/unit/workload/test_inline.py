from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from swf.core.errors import ConfigError, PayloadError
from swf.core.payload import Outcome, PayloadJob, PayloadSpec
from swf.core.times import ManualClock
from swf.workload.inline import InlinePool
from swf.workload.noop import NOOP
from swf.workload.port import Pool

CLOCK = ManualClock()


def write(job: PayloadJob) -> dict[str, object]:
    CLOCK.advance(2.5)
    job.output.write_text("x", encoding="utf-8")
    return {"first": job.first}


def write_half_and_fail(job: PayloadJob) -> None:
    job.output.write_text("half", encoding="utf-8")
    raise RuntimeError("no\nmore")


def write_nothing(job: PayloadJob) -> None:
    assert job.key


def leave(job: PayloadJob) -> None:
    sys.exit(int(job.slice))


def eat(job: PayloadJob) -> None:
    raise MemoryError(job.key)


def return_a_path(job: PayloadJob) -> dict[str, object]:
    return {"output": job.output}


def return_nan(job: PayloadJob) -> dict[str, object]:
    return {"mean": float("nan"), "of": job.key}


def return_a_list(job: PayloadJob) -> list[str]:
    return [job.key]


def spec(name: str) -> PayloadSpec:
    return PayloadSpec(name=name, entry_point=f"{__name__}:{name}")


def job(tmp_path: Path, key: str = "k") -> PayloadJob:
    return PayloadJob(key=key, input="i.stf", first=3, last=9, output=tmp_path / f"{key}.root", run=1, slice="5")


def pool(specification: PayloadSpec, woken: list[int] | None = None) -> InlinePool:
    bell = [] if woken is None else woken
    return InlinePool(specification, clock=CLOCK, on_ready=lambda: bell.append(1))


def test_the_no_op_writes_nothing_and_is_fine(tmp_path: Path) -> None:
    woken: list[int] = []
    inline: Pool = pool(NOOP, woken)
    inline.prewarm()
    for number in range(3):
        inline.submit(job(tmp_path, str(number)))
    results = inline.take()
    assert [(r.key, r.outcome, r.output, r.summary) for r in results] == [
        (str(number), Outcome.OK, None, {"entries": 7}) for number in range(3)
    ]
    assert woken == [1]
    assert inline.take() == []
    assert (inline.running(), inline.queued(), inline.cancel("0"), inline.close(1.0)) == (0, 0, False, [])
    assert list(tmp_path.iterdir()) == []


def test_a_good_result_has_output_summary_and_seconds(tmp_path: Path) -> None:
    inline = pool(spec("write"))
    inline.submit(job(tmp_path))
    (result,) = inline.take()
    assert result.outcome is Outcome.OK
    assert result.exit_code == 0
    assert result.output == tmp_path / "k.root"
    assert result.summary == {"first": 3}
    assert result.seconds == 2.5


@pytest.mark.parametrize(
    ("name", "outcome", "exit_code", "words"),
    [
        ("write_half_and_fail", Outcome.CRASHED, None, "it raised RuntimeError: no more"),
        ("write_nothing", Outcome.NO_OUTPUT, 0, "not there"),
        ("leave", Outcome.CRASHED, 5, "sys.exit(5)"),
        ("eat", Outcome.OUT_OF_MEMORY, None, "MemoryError"),
        ("return_a_path", Outcome.CRASHED, None, "not JSON"),
        ("return_nan", Outcome.CRASHED, None, "not JSON"),
        ("return_a_list", Outcome.CRASHED, None, "returned list"),
    ],
)
def test_a_failure_says_how_and_leaves_no_output(
    tmp_path: Path, name: str, outcome: Outcome, exit_code: int | None, words: str
) -> None:
    inline = pool(spec(name))
    inline.submit(job(tmp_path))
    (result,) = inline.take()
    assert (result.outcome, result.exit_code, result.output, result.summary) == (outcome, exit_code, None, {})
    assert words in result.detail
    assert "\n" not in result.detail
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_told_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    inline = pool(spec("write"))
    inline.submit(dataclasses.replace(job(tmp_path), output=tmp_path / "file" / "o.root"))
    (result,) = inline.take()
    assert result.outcome is Outcome.NOT_STARTED


def test_only_an_entry_point_that_is_there_runs_inline() -> None:
    with pytest.raises(ConfigError, match="it has a command"):
        pool(PayloadSpec(name="c", command=("x", "{output}")))
    with pytest.raises(ConfigError, match="cannot be imported"):
        pool(PayloadSpec(name="c", entry_point="no_such_module_here:f"))
    with pytest.raises(ConfigError, match="no function"):
        pool(PayloadSpec(name="c", entry_point=f"{__name__}:absent"))


def test_a_closed_pool_takes_no_job(tmp_path: Path) -> None:
    inline = pool(NOOP)
    inline.close(0)
    with pytest.raises(PayloadError, match="closed"):
        inline.submit(job(tmp_path))
