"""Accounting arithmetic."""

from __future__ import annotations

import pytest

from swf.core.ledger import NOT_REQUIRED, Ledger, Stage
from swf.core.work import UNFINISHED, WorkState


def ledger(word: str, *, produced: int | None = 10, missing: int = 0) -> Ledger:
    stages = {stage: {NOT_REQUIRED: 10} for stage in Stage} | {Stage.PROCESSED: {"completed": 9, word: 1}}
    return Ledger(run=1, produced=produced, registered=10 - missing, missing=missing, stages=stages)


@pytest.mark.parametrize("state", WorkState)
def test_a_run_is_balanced_when_nothing_is_under_way(state: WorkState) -> None:
    assert ledger(state).balanced == (state not in UNFINISHED)


@pytest.mark.parametrize("state", WorkState)
def test_a_balanced_run_is_complete_when_nothing_was_lost(state: WorkState) -> None:
    assert ledger(state).complete == (state is WorkState.COMPLETED)


def test_a_run_is_not_balanced_before_its_end_nor_with_a_missing_unit() -> None:
    assert ledger(NOT_REQUIRED).complete
    assert not ledger(NOT_REQUIRED, produced=None).balanced
    assert not ledger(NOT_REQUIRED, missing=1).balanced
