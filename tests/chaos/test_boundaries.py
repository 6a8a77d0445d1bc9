"""kill -9 at every effect boundary that the program marks, and once more while it recovers from that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from findings import counted, harm
from left_alone import Alone, Tell
from scenario import Case, Disturbance, Played, play_all

pytestmark = pytest.mark.timeout(7200)
"""Many runs, each with a limit of its own."""


def at(name: str, passage: int) -> Disturbance:
    """A kill at the n-th passage of a boundary."""
    return Disturbance(kill_at=f"{name}:{passage}")


def told(played: Sequence[Played], boundaries: int, tell: Tell) -> None:
    """Tell what came of the cases; fail where there was harm, or where most of them were not disturbed at all."""
    tell(f"{boundaries} boundaries, {len(played)} runs: {counted(f for each in played for f in each.findings)}")
    assert not [str(each) for each in played if harm(each.findings)]
    untouched = [str(each) for each in played if each.struck == 0]
    assert len(untouched) <= len(played) // 10, f"a passage may not come again, but mostly does: {untouched}"


def test_a_run_killed_at_any_effect_boundary_is_resumed_whole(
    alone: Alone, chaos_folder: Path, at_once: int, tell: Tell
) -> None:
    """Each boundary once at its first passage, and once in the middle of its passages."""
    cases = [
        Case(name=f"{name}:{passage} of {passages}", disturbances=(at(name, passage),))
        for name, passages in sorted(alone.boundaries.items())
        for passage in sorted({1, (passages + 1) // 2})
    ]
    tell("\nkilled at each effect boundary:")
    folder = chaos_folder / "boundaries"
    played = play_all(cases, alone.parameters, alone.records, folder, at_once=at_once, tell=tell)
    told(played, len(alone.boundaries), tell)


def test_a_recovery_that_is_killed_at_any_effect_boundary_is_resumed_whole(
    alone: Alone, chaos_folder: Path, at_once: int, tell: Tell
) -> None:
    """A process dies in the middle of everything; the next one dies at its first passage of each boundary."""
    middle = "worker.results_taken"
    first = at(middle, (alone.boundaries[middle] + 1) // 2)
    cases = [
        Case(name=f"after a kill, {name}:1", disturbances=(first, at(name, 1))) for name in sorted(alone.boundaries)
    ]
    tell("\nkilled again while it recovers:")
    folder = chaos_folder / "recoveries"
    played = play_all(cases, alone.parameters, alone.records, folder, at_once=at_once, tell=tell)
    told(played, len(alone.boundaries), tell)
