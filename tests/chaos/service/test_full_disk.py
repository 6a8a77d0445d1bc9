"""A data directory on a disk that is full: agents wait or try again, and go on when there is space."""

from __future__ import annotations

import random
import time
from pathlib import Path

from findings import counted, harm
from left_alone import Tell
from servers import Servers
from small_disk import SmallDisk
from stage import Stage
from wires import new_namespace, repeated

from services.activemq import pause

FILES = ("stf.tf_count=150", "stf.seed=7", "processing.workers=2", "watcher.stall_s=600")
STFS = 3
_STILL_S = 4.0
"""How long nothing may change before the disk is taken for the reason."""


@repeated
def test_a_full_disk_holds_agents_up_and_loses_nothing(
    servers: Servers, tmp_path: Path, tell: Tell, chance: random.Random, repetition: int
) -> None:
    kilobytes = chance.randrange(1_000, 9_000)
    with SmallDisk(tmp_path / "stage" / "data", f"{kilobytes}k") as disk:
        stage = Stage(servers, tmp_path / "stage", new_namespace())
        try:
            stage.start()
            run = stage.ask(stfs=STFS, slices=15, settings=FILES)
            _until_still(stage)
            assert "completed" not in stage.executions().values()
            before = stage.count("store_event")
            disk.change("size=200m")
            ended = stage.ended(run)
            assert ended.code == 0, ended.stderr
            stage.settle(1)
            found = stage.findings(1)
        finally:
            stage.abandon()
    tell(f"{kilobytes} kB, full after {before} events: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)]


def _until_still(stage: Stage) -> None:
    """Wait until nothing has changed for a while."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < _STILL_S or seen <= 0:
        now = stage.count("store_event", "type NOT IN ('fail', 'retry', 'claim', 'release')")
        if now != seen:
            seen, since = now, time.monotonic()
        pause(0.2)
