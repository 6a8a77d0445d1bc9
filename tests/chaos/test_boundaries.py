"""kill -9 at every effect boundary that the program marks."""

from __future__ import annotations

from pathlib import Path

from findings import counted, harm
from left_alone import Alone, Tell
from scenario import Case, Disturbance, play_all


def test_a_run_killed_at_any_effect_boundary_is_resumed_whole(
    alone: Alone, chaos_folder: Path, at_once: int, tell: Tell
) -> None:
    """Each boundary once at its first passage, and once in the middle of its passages."""
    cases = [
        Case(name=f"{name}:{passage} of {passages}", disturbances=(Disturbance(kill_at=f"{name}:{passage}"),))
        for name, passages in sorted(alone.boundaries.items())
        for passage in sorted({1, (passages + 1) // 2})
    ]
    played = play_all(cases, alone.parameters, alone.records, chaos_folder / "boundaries", at_once=at_once, tell=tell)
    tell(f"{len(alone.boundaries)} boundaries, {len(cases)} runs: {counted(f for p in played for f in p.findings)}")
    not_killed = [str(each) for each in played if each.struck == 0]
    assert not [str(each) for each in played if harm(each.findings)]
    assert len(not_killed) <= len(cases) // 10, "the middle passage of a boundary may not come again, but mostly does"
