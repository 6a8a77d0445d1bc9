"""Broker, database, agents and `testbed run` are started in any order; a run that is accepted is a run that ends."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest
from findings import counted, harm
from left_alone import Tell
from servers import Servers
from stage import Stage
from testbed_process import Ended

PARTS = ("broker", "database", "agents", "run")
ORDERS = tuple(itertools.permutations(PARTS))
STFS = 4
FAILED = 1


def test_parts_that_are_started_in_any_order(
    new_stage: Callable[[], Stage],
    servers: Servers,
    chance: random.Random,
    repetitions: int,
    tell: Tell,
) -> None:
    """As many orders as repetitions, twice over; with many repetitions, all."""
    for order in chance.sample(ORDERS, min(2 * repetitions, len(ORDERS))):
        servers.up()
        started_in(order, new_stage(), tell)


def started_in(order: tuple[str, ...], stage: Stage, tell: Tell) -> None:
    """Nothing runs; then the parts come one after the other, none waiting for the one before."""
    servers = stage.servers
    servers.broker.stop()
    servers.database.stop()
    first, start = None, {"broker": servers.broker.start, "database": servers.database.start}
    for part in order:
        if part in start:
            start[part]()
        elif part == "agents":
            for agent in stage.agents.values():
                agent.start()
        else:
            first = stage.ask(stfs=STFS)
    assert first is not None
    stage.until_ready()
    ended, asked = stage.ended(first), 1
    if ended.code != 0:
        refused(ended)
        # What was refused left nothing behind; asked for again, it is taken.
        assert not stage.executions()
        asked, ended = 2, stage.ended(stage.ask(stfs=STFS))
    assert ended.code == 0, ended.stderr
    stage.settle(1)
    findings = stage.findings(1)
    tell(f"{', '.join(order)}: asked {asked} times: {counted(findings)}")
    assert not harm(findings), [str(each) for each in harm(findings)][:20]


def refused(ended: Ended) -> None:
    """It says what was not there."""
    assert ended.code == FAILED, (ended.code, ended.stderr)
    error = ended.told()["error"]
    assert error["type"] == "ServiceError", error
    assert "does not answer" in error["message"] or "not every agent" in error["message"], error


@pytest.mark.parametrize("moment", ["before it is asked for", "as it is asked for"])
def test_a_broker_that_comes_after_an_execution_was_asked_for(stage: Stage, moment: str, tell: Tell) -> None:
    broker = stage.servers.broker
    stage.start()
    if moment == "before it is asked for":
        broker.kill()
        stage.until(lambda: stage.count("store_systemagent", "operational_state = 'READY'") == 0, "they notice")
        process = stage.ask(stfs=STFS)
        stage.until(lambda: "waiting for" in process.errors.read_text() or process.has_ended, "it waits for agents")
        assert not process.has_ended, process.errors.read_text()
        assert not stage.executions()
    else:
        process = stage.ask(stfs=STFS)
        stage.until(lambda: bool(stage.executions()) or process.has_ended, "it is asked for")
        assert not process.has_ended, process.errors.read_text()
        broker.kill()
        stage.until(lambda: stage.count("store_systemagent", "operational_state = 'READY'") == 0, "the agents notice")
    broker.start()
    ended = stage.ended(process)
    assert ended.code == 0, ended.stderr
    stage.settle(1)
    findings = stage.findings(1)
    tell(f"the broker went {moment}: {counted(findings)}")
    assert not harm(findings), [str(each) for each in harm(findings)][:20]
