"""Runs that nobody disturbs: what the tests beside this one judge by finds them whole."""

from __future__ import annotations

from collections import Counter

from findings import Word, counted
from left_alone import Tell
from stage import FILES, Stage

DAMAGE = {
    "UPDATE store_run SET total_stf_files = 21 WHERE total_stf_files = 20": Word.LOST,
    "DELETE FROM store_product WHERE id = (SELECT min(id) FROM store_product)": Word.LOST,
    "UPDATE epic_runstate SET slices_completed = slices_completed + 1": Word.DUPLICATED,
    "DELETE FROM store_inboxentry WHERE id = (SELECT min(id) FROM store_inboxentry)": Word.LOST,
    "UPDATE store_event SET seq = NULL WHERE seq = 7": Word.LOST,
    "UPDATE store_systemagent SET status = 'OK' WHERE agent_type = 'data'": Word.UNEXPECTED,
}
"""What is done to rows, and what it is found to be."""


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
    # And damage is found there as well, on top of what was done before.
    known = Counter[Word]()
    for statement, word in DAMAGE.items():
        assert stage.rows(f"{statement} RETURNING 1 AS done"), statement
        found = Counter(finding.word for finding in stage.findings(2))
        assert found[word] > known[word], statement
        known = found
