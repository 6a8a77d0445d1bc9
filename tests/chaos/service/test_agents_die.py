"""Agents are killed at every effect boundary and at random moments, and started again."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from agent_life import ROLES
from agents_die import Deaths, dying
from findings import Finding, counted, harm
from left_alone import Tell
from stage import FILES, MESSAGES_ONLY, Stage

LATEST_PASSAGE = 3


def judged(stage: Stage, runs: int) -> list[Finding]:
    """Fail where there was harm. Returns what was found."""
    stage.settle(runs)
    findings = stage.findings(runs)
    assert not harm(findings), [str(each) for each in harm(findings)][:20]
    return findings


def boundaries_of(stage: Stage, folder: Path) -> dict[str, dict[str, int]]:
    """Which effect boundaries each agent reaches in an undisturbed run, and how often."""
    folder.mkdir()
    stage.start(boundaries=folder)
    stage.request(stfs=3, slices=4, settings=FILES)
    stage.settle(1)
    assert not stage.leave()
    return {role: json.loads((folder / f"{role}.json").read_text()) for role in ROLES}


def test_agents_that_are_killed_at_any_effect_boundary(
    new_stage: Callable[[], Stage], chance: random.Random, repetitions: int, tmp_path: Path, tell: Tell
) -> None:
    """A life for each boundary, and in each life of an agent all the others die as well."""
    reached = boundaries_of(new_stage(), tmp_path / "boundaries")
    names = [name for boundaries in reached.values() for name in boundaries]
    tell(f"{len(names)} boundaries: {', '.join(sorted(names))}")
    for repetition in range(repetitions):
        stage = new_stage()
        deaths = [
            Deaths(agent=stage.agents[role], to_come=plan(boundaries, chance)) for role, boundaries in reached.items()
        ]
        runs = until_all_have_died(stage, deaths)
        findings = judged(stage, runs)
        killed = [at for each in deaths for at in each.done]
        tell(f"repetition {repetition}: {len(killed)} kills in {runs} runs: {counted(findings)}")
        assert not [text for each in deaths for text in each.otherwise]
        assert sorted(at.rpartition(":")[0] for at in killed) == sorted(names)


def until_all_have_died(stage: Stage, deaths: Sequence[Deaths]) -> int:
    """Let agents die wherever they are to, in as many runs as it takes. Returns how many."""

    def over() -> bool:
        return all(each.over for each in deaths)

    runs = 0
    with dying(deaths):
        # A boundary that is reached once in a run comes in the next one again.
        while not over():
            stage.request(stfs=3, slices=4, settings=FILES)
            runs += 1
            stage.until(lambda: not stage.under_way() or over(), f"they die at {[each.at for each in deaths]}")
    return runs


def plan(boundaries: dict[str, int], chance: random.Random) -> list[str]:
    """In which order an agent dies where, and at which passage."""
    names = sorted(boundaries)
    chance.shuffle(names)
    return [f"{name}:{chance.randint(1, min(LATEST_PASSAGE, boundaries[name]))}" for name in names]


def go_on(stage: Stage, events: int) -> None:
    """Wait until so many more things have happened, or nothing is under way."""
    until = stage.count("store_event") + events
    stage.until(lambda: stage.count("store_event") >= until or not stage.under_way(), "it goes on")


def test_agents_that_are_killed_at_random_moments(
    stage: Stage, chance: random.Random, scale: float, repetitions: int, tell: Tell
) -> None:
    kills, runs, killed = max(6 * repetitions, round(50 * scale)), 0, Counter[str]()
    stage.start()
    for _ in range(kills):
        if stage.under_way() < 2:
            files = chance.random() < 0.5
            stage.request(stfs=4 if files else 30, settings=FILES if files else MESSAGES_ONLY)
            runs += 1
        go_on(stage, chance.randrange(400))
        role = chance.choice(ROLES)
        stage.agents[role].restart()
        killed[role] += 1
    findings = judged(stage, runs)
    tell(
        f"{kills} kills in {runs} runs ({', '.join(f'{n} {role}' for role, n in killed.items())}): {counted(findings)}"
    )
