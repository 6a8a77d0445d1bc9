"""Agents that are asked to end under load hand back what they have; asked twice, they end at once and lose nothing."""

from __future__ import annotations

import random
from pathlib import Path

from agent_life import ROLES, AgentLife
from findings import Finding, counted, harm
from left_alone import Tell
from misbehaviour import Misbehaviour
from scenario import Parameters
from stage import FILES, MESSAGES_ONLY, Stage

from swf.core.times import SystemClock

INTERRUPTED = 130


def under_load(stage: Stage, chance: random.Random) -> int:
    """See to it that runs are under way, and wait for a moment in their midst. Returns how many were asked for."""
    asked = 0
    while stage.under_way() < 2:
        files = chance.random() < 0.5
        stage.request(stfs=4 if files else 30, settings=FILES if files else MESSAGES_ONLY)
        asked += 1
    until = stage.count("store_event") + chance.randrange(20, 300)
    stage.until(lambda: stage.count("store_event") >= until or not stage.under_way(), "it goes on")
    return asked


def row_of(stage: Stage, agent: AgentLife) -> dict[str, object]:
    """What the agent's row says; it is the only one of its role."""
    role = "daq_simulator" if agent.role == "daq" else agent.role
    (row,) = stage.rows(f"SELECT * FROM store_systemagent WHERE agent_type = '{role}'")
    return dict(row)


def judged(stage: Stage, runs: int) -> list[Finding]:
    """Fail where there was harm. Returns what was found."""
    stage.settle(runs)
    findings = stage.findings(runs)
    assert not harm(findings), [str(each) for each in harm(findings)][:20]
    return findings


def test_an_agent_that_is_asked_to_end_hands_back_what_it_has(
    stage: Stage, chance: random.Random, repetitions: int, tell: Tell
) -> None:
    stage.start()
    clock, runs, handed_back, longest = SystemClock(), 0, 0, 0.0
    # The worker has most to hand back; the others are drawn.
    for role in ["worker", *(chance.choice(ROLES) for _ in range(3 * repetitions - 1))]:
        runs += under_load(stage, chance)
        agent = stage.agents[role]
        began = clock.monotonic()
        ended = agent.leave()
        assert ended is not None
        longest = max(longest, clock.monotonic() - began)
        assert ended.code == 0, ended.stderr
        assert not ended.left
        handed_back += ended.told()["handed_back"]
        row = row_of(stage, agent)
        assert (row["status"], row["pid"]) == ("EXITED", None)
        held = stage.count("epic_tfslice", f"status = 'processing' AND lease_holder = '{row['instance_name']}'")
        assert held == 0
        agent.start()
        stage.until_ready([role])
    findings = judged(stage, runs)
    tell(
        f"{3 * repetitions} agents asked to end in {runs} runs: {handed_back} slices handed back, the slowest took "
        f"{longest:.1f} s: {counted(findings)}"
    )


def test_a_worker_whose_payloads_run_hands_their_slices_back(
    stage: Stage, at_once: int, tmp_path: Path, tell: Tell
) -> None:
    """Payloads that would run for ever are ended, and what they worked at is done by the next life."""
    with Misbehaviour(tmp_path / "payloads", wait=[0, 1]) as payloads:
        stage.start()
        stage.request(stfs=2, slices=4, settings=payloads.parameters(Parameters(settings=FILES)).settings)
        payloads.waiting(at_once)
        ended = stage.agents["worker"].leave()
        assert ended is not None
        assert ended.code == 0, ended.stderr
        assert (ended.left, ended.orphans) == ((), 0), "payloads end before the worker that started them"
        assert ended.told()["handed_back"] >= at_once
        assert stage.count("epic_tfslice", "status = 'processing'") == 0
        payloads.let_all_go()
        stage.agents["worker"].start()
        findings = judged(stage, 1)
    tell(f"{ended.told()['handed_back']} slices handed back: {counted(findings)}")
    assert len(findings) >= at_once, "each that was handed back was done again"


def test_agents_that_are_asked_to_end_while_the_database_is_away_end_all_the_same(
    stage: Stage, chance: random.Random, repetitions: int, tell: Tell
) -> None:
    """What they had is found by their next lives."""
    database, runs = stage.servers.database, 0
    for _ in range(repetitions):
        stage.start()
        runs += under_load(stage, chance)
        database.kill()
        for agent in stage.agents.values():
            agent.signal("TERM")
        ended = {role: agent.wait() for role, agent in stage.agents.items()}
        database.start()
        assert [role for role, each in ended.items() if each.code != 0 or each.left] == []
    stage.start()
    findings = judged(stage, runs)
    tell(f"{repetitions} times all agents asked to end without a database: {counted(findings)}")


def test_an_agent_that_is_asked_twice_ends_at_once_and_loses_nothing(
    stage: Stage, chance: random.Random, repetitions: int, tell: Tell
) -> None:
    stage.start()
    runs, codes = 0, []
    for role in ["worker", *(chance.choice(ROLES) for _ in range(2 * repetitions - 1))]:
        runs += under_load(stage, chance)
        agent = stage.agents[role]
        agent.signal("TERM")
        agent.signal("TERM")
        ended = agent.wait()
        # Two signals may arrive as one.
        assert ended.code in {0, INTERRUPTED}, (ended.code, ended.stderr)
        assert not ended.left
        codes.append(ended.code)
        agent.start()
        stage.until_ready([role])
    findings = judged(stage, runs)
    tell(f"asked twice in {runs} runs, ended with {codes}: {counted(findings)}")
