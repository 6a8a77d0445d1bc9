"""Runs that nobody disturbs: what the tests beside this one judge by finds them whole."""

from __future__ import annotations

from findings import counted
from left_alone import Tell
from stage import FILES, Stage


def test_runs_that_nobody_disturbs_are_whole(stage: Stage, tell: Tell) -> None:
    stage.start()
    first = stage.ask(stfs=3, settings=FILES)
    second = stage.ask(stfs=20)
    for process in (first, second):
        ended = stage.ended(process)
        assert ended.code == 0, ended.stderr
        assert ended.told()["exit_code"] == 0
    stage.settle(2)
    findings = stage.findings(2)
    tell(f"left alone: {counted(findings)}")
    assert not findings, [str(each) for each in findings]
