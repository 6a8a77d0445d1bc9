"""The clock of a host is set by an hour, ahead or back, while slices are under lease: nothing is lost or done twice."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from checker import check
from findings import counted, harm
from happenings import AWorkerVanishes, Happening
from leaping import LeapingClock
from left_alone import Tell
from process_in_test import MESSAGES_ONLY, Life, Plan, live
from records import read_records
from servers import Servers
from wires import left_on_broker, new_namespace, repeated

STFS, SLICES = 20, 15
SETTINGS = {
    **MESSAGES_ONLY,
    "fast_processing.stf_count": STFS,
    "fast_processing.slices_per_sample": SLICES,
    "payload.timeout_s": 5.0,
    "processing.lease_s": 6.0,
    "watcher.stall_s": 80_000.0,
    "watcher.stuck_s": 80_000.0,
    "watcher.heartbeat_s": 80_000.0,
}
"""Alarms about times are not what is tried here: they come and go with a clock that is wrong."""

_HOUR: Final = timedelta(hours=1)
LEAPS: Final = {
    "ahead": (_HOUR,),
    "back": (-_HOUR,),
    "ahead and back": (_HOUR, -_HOUR),
    "back and ahead": (-_HOUR, _HOUR),
}


@repeated
@pytest.mark.parametrize("leaps", LEAPS)
@pytest.mark.parametrize("happening", [Happening, AWorkerVanishes], ids=["alone", "and a worker vanishes"])
def test_a_clock_that_is_set_by_an_hour_costs_nothing(
    servers: Servers,
    store: Path,
    tmp_path: Path,
    tell: Tell,
    chance: random.Random,
    leaps: str,
    happening: type[Happening],
    repetition: int,
) -> None:
    clock = LeapingClock()
    moments = sorted(chance.uniform(0.05, 0.6) for _ in LEAPS[leaps])
    to_come = list(zip(moments, LEAPS[leaps], strict=True))
    with happening(servers.broker) as what:
        if happening is AWorkerVanishes and leaps != "ahead":
            # Until the hour is over that the clock was set back by, nobody can tell that the worker is gone.
            to_come.append((chance.uniform(0.6, 0.7), -sum((by for _, by in to_come), timedelta())))
        plan = Plan(
            root=tmp_path,
            broker=what.settings,
            namespace=new_namespace(),
            settings=SETTINGS,
            around=what.around,
            clock=clock,
        )

        def leap(here: Life) -> bool:
            done = here.epic.runtimes["worker"].counts.handled / (STFS * SLICES)
            if to_come and done >= to_come[0][0]:
                clock.leap(to_come.pop(0)[1])
            return what.look(here) and not to_come

        assert live(plan, meanwhile=leap)
    records = read_records(tmp_path)
    found = [*check(records), *left_on_broker(servers.broker, plan.namespace)]
    tell(f"{leaps}: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)][:20]
    outcomes = [row["outcome"] for row in records.of("attempts")]
    assert happening is AWorkerVanishes or outcomes == ["ok"] * STFS * SLICES, "no lease ran out for the clock's sake"
