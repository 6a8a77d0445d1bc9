"""Every message comes three times, and in another order than it was sent: the run is the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from checker import check
from findings import counted, harm
from inprocess import inline_pool
from left_alone import Tell
from process_in_test import FILES, MESSAGES_ONLY, Life, Plan, live
from records import read_records
from servers import Servers
from unruly import UnrulyBus
from wires import left_on_broker, new_namespace, repeated

from swf.epic.composition import EpicAgents
from swf.messaging.stomp import StompBus


@repeated
@pytest.mark.parametrize("what", ["messages", "files"])
def test_messages_that_come_three_times_and_out_of_order_take_effect_once(
    servers: Servers,
    store: Path,
    tmp_path: Path,
    tell: Tell,
    chance: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    repetition: int,
) -> None:
    if what == "files":
        monkeypatch.setattr(EpicAgents, "_pool", inline_pool)
    buses: list[UnrulyBus] = []

    def around(bus: StompBus) -> UnrulyBus:
        buses.append(UnrulyBus(bus, chance))
        return buses[-1]

    many = {**MESSAGES_ONLY, "fast_processing.stf_count": 40, "fast_processing.slices_per_sample": 15}
    plan = Plan(
        root=tmp_path,
        broker=servers.broker.settings(prefetch=2000, queue_prefetch=1000),
        namespace=new_namespace(),
        settings=FILES if what == "files" else many,
        around=around,
    )

    def idle(here: Life) -> bool:
        buses[0].idle()
        return buses[0].waiting == 0

    assert live(plan, meanwhile=idle)
    records = read_records(tmp_path)
    found = check(records)
    found += left_on_broker(servers.broker, plan.namespace)
    sent = len(records.messages)
    tell(f"{what}: {sent} messages, {buses[0].published} published: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)][:20]
    assert buses[0].published == 3 * sent
