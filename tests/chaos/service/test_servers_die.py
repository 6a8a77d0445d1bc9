"""The broker or the database dies again and again while a run is taken and processed."""

from __future__ import annotations

import math
import random
import signal
from collections import Counter
from collections.abc import Callable

from findings import counted, harm
from left_alone import Tell
from outages import Outages
from stage import Stage
from testbed_process import TestbedProcess

SLICES = 15
MESSAGES_PER_STF = 2 * SLICES + 3
"""A slice and its result, and an STF's own: stf_gen, stf_ready, tf_file_registered."""
MESSAGES, ALL_SLICES = 20_000, 5_000
PATIENCE_S = 1800.0
"""A full load on a machine that does other things as well."""


def whole_in_spite_of(outages: Outages, stage: Stage, stfs: int, runs: int, tell: Tell) -> None:
    """Runs during which a server dies again and again come to their end, and nothing is lost or done twice."""
    stage.start()
    ended = []
    with outages.happening():
        for run in range(runs):
            process = stage.ask(stfs=stfs, slices=SLICES)
            almost = (run + 0.9) * stfs * SLICES
            stage.until(played(stage, process, almost), f"{almost:.0f} slices are completed", PATIENCE_S)
            if run < runs - 1:
                ended.append(stage.ended(process))
    ended.append(stage.ended(process))
    stage.settle(runs)
    sent = stage.count("store_event", "kind = 'message'")
    findings = stage.findings(runs)
    ways = ", ".join(f"{number} {way}" for way, number in Counter(outages.done).items())
    tell(f"{runs} runs of {stfs} STFs, {stfs * SLICES} slices; {sent} messages; {ways}; {counted(findings)}")
    assert not harm(findings), [str(each) for each in harm(findings)][:20]
    assert [(each.code, each.told()["exit_code"]) for each in ended] == [(0, 0)] * runs, [e.stderr for e in ended]
    assert outages.done, "it was not disturbed at all"


def played(stage: Stage, process: TestbedProcess, slices: float) -> Callable[[], bool]:
    """Whether so many slices are completed, or who asked for the run has gone."""
    return lambda: process.has_ended or stage.count("epic_tfslice", "status = 'completed'") >= slices


def test_a_broker_that_is_killed_while_messages_pass(
    stage: Stage, chance: random.Random, scale: float, repetitions: int, tell: Tell
) -> None:
    broker = stage.servers.broker
    outages = Outages(
        ways={"SIGKILL of the broker": broker.kill},
        start=broker.start,
        chance=chance,
        up_s=(0.5, 12.0),
        down_s=(0.0, 2.0),
    )
    whole_in_spite_of(outages, stage, math.ceil(scale * MESSAGES / MESSAGES_PER_STF), repetitions, tell)


def test_a_database_that_is_killed_or_restarted_while_slices_are_processed(
    stage: Stage, chance: random.Random, scale: float, repetitions: int, tell: Tell
) -> None:
    database = stage.servers.database
    outages = Outages(
        ways={
            "SIGKILL of the database": database.kill,
            "fast stop of the database": database.stop,
            "immediate stop of the database": lambda: database.stop(signal.SIGQUIT),
        },
        start=database.start,
        chance=chance,
        # Not more seldom than often enough for a run that is short.
        up_s=(min(5.0, 20 * scale), min(40.0, 80 * scale)),
        down_s=(0.0, 2.0),
    )
    whole_in_spite_of(outages, stage, math.ceil(scale * ALL_SLICES / SLICES), repetitions, tell)
