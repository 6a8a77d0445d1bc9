"""How far ahead a worker takes slices: by what payloads take, and by nothing else."""

from __future__ import annotations

import pytest

from swf.epic.agents.pace import MOST_AHEAD, Pace


def test_before_anything_is_known_there_is_one_slice_for_each_process() -> None:
    pace = Pace(3)
    assert pace.wanted() == 3
    pace.done([])
    assert pace.wanted() == 3


@pytest.mark.parametrize(
    ("seconds", "ahead"),
    [(30.0, 0), (0.5, 1), (0.05, 10), (0.00125, MOST_AHEAD), (1e-6, MOST_AHEAD), (0.0, MOST_AHEAD)],
)
def test_the_faster_payloads_are_the_more_is_taken_ahead(seconds: float, ahead: int) -> None:
    pace = Pace(2)
    pace.done([seconds])
    assert pace.wanted() == 2 + ahead


def test_it_follows_payloads_that_become_slower() -> None:
    pace = Pace(2)
    pace.done([0.0001] * 100)
    wanted = [pace.wanted()]
    for _ in range(6):
        pace.done([10.0])
        wanted.append(pace.wanted())
    assert wanted[0] == 2 + MOST_AHEAD
    assert wanted == sorted(wanted, reverse=True)
    assert wanted[-1] == 2
