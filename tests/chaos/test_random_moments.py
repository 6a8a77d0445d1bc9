"""kill -9, Ctrl-C and SIGTERM at random moments, again and again, and a resume after each.

`N` seeds, 3 by default; `SEED` is the first of them. A seed that failed is played again with `N=1 SEED=...`.
"""

from __future__ import annotations

import os
import random
import secrets
from pathlib import Path

import pytest
from findings import counted, harm
from left_alone import Alone, Tell
from scenario import Case, Disturbance, play_all

pytestmark = pytest.mark.timeout(7200)
"""Many runs, each with a limit of its own."""

MOST_DISTURBED = 4
_KINDS = (("KILL",), ("KILL",), ("KILL",), ("INT",), ("TERM",), ("INT", "KILL"))


def disturbances(seed: int, seconds: float) -> tuple[Disturbance, ...]:
    """What is done at one seed: up to four processes disturbed, each at a moment uniform over `seconds`."""
    rolls = random.Random(seed)
    found = []
    for _ in range(rolls.randint(1, MOST_DISTURBED)):
        moment, kind = rolls.uniform(0.0, seconds), rolls.choice(_KINDS)
        # Where there are two, the second comes while the first is being dealt with.
        delays = [moment + number * rolls.uniform(0.0, 0.3) for number in range(len(kind))]
        found.append(Disturbance(signals=tuple(zip(delays, kind, strict=True))))
    return tuple(found)


def test_a_run_disturbed_at_random_moments_is_resumed_whole(
    alone: Alone, chaos_folder: Path, at_once: int, tell: Tell
) -> None:
    number = int(os.environ.get("N") or 3)
    first = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
    tell(f"\nrandom moments: N={number} SEED={first}")
    cases = [
        Case(name=f"seed {seed}", disturbances=disturbances(seed, alone.seconds))
        for seed in range(first, first + number)
    ]
    played = play_all(cases, alone.parameters, alone.records, chaos_folder / "random", at_once=at_once, tell=tell)
    struck, orphans = sum(each.struck for each in played), sum(each.orphans for each in played)
    tell(
        f"{number} seeds, {struck} processes ended, {orphans} payload processes ended with them: "
        f"{counted(f for p in played for f in p.findings)}"
    )
    assert not [str(each) for each in played if harm(each.findings)]
