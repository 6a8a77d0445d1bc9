"""A worker that is stopped past its lease and goes on later: its result comes too late, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from agent_life import AgentLife
from findings import counted, harm
from left_alone import Tell
from misbehaviour import Misbehaviour
from scenario import Parameters
from stage import Stage
from wires import repeated

SHORT_LEASES = ("payload.timeout_s=5", "processing.lease_s=6", "processing.workers=2")
SLICES = 6


@repeated
@pytest.mark.parametrize("awake", ["while it sleeps", "after it woke"])
def test_the_result_of_a_worker_that_slept_past_its_lease_is_late(
    stage: Stage, tmp_path: Path, tell: Tell, awake: str, repetition: int
) -> None:
    """Its payload ends while it sleeps, or some time after: `awake` says when."""
    base = Parameters(settings=("stf.tf_count=60", "stf.seed=7", *SHORT_LEASES))
    with Misbehaviour(tmp_path / "plan", wait=[1]) as plan:
        stage.start()
        run = stage.ask(stfs=1, slices=SLICES, settings=plan.parameters(base).settings)
        (name,) = plan.waiting(1)
        first = stage.agents["worker"]
        first.signal("STOP")
        stage.agents["second worker"] = second = AgentLife(
            role="worker", root=stage.root, folder=tmp_path / "second", environment=stage.environment
        )
        second.start()
        done = f"name = '{name}' AND status = 'completed' AND attempt > 1"
        stage.until(lambda: stage.count("epic_tfslice", done) == 1, "another worker has done it")
        if awake == "while it sleeps":
            plan.let_go(name)
            output = stage.root / "products"
            stage.until(lambda: any(output.glob(f"*/{name.removesuffix('.tf')}_a1.*")), "its payload ends")
        first.signal("CONT")
        plan.let_go(name)
        late = f"item = '{name}' AND attempt = 1 AND outcome = 'late'"
        stage.until(lambda: stage.count("store_attempt", late) == 1, "its result comes")
        assert stage.ended(run).code == 0
        stage.settle(1)
        found = stage.findings(1)
    tell(f"{name} {awake}: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)]
