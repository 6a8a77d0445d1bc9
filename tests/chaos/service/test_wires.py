"""What networks do to connections between agents, broker and database: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from checker import check
from findings import Finding, counted, harm
from left_alone import Tell
from process_in_test import MESSAGES_ONLY, Life, Plan, live
from records import read_service_records
from servers import Servers
from weather import WEATHER, Weather
from wires import left_on_broker, new_namespace, repeated

from services.tcp_proxy import TcpProxy
from store_fixture import settings_of, using

STFS, SLICES = 30, 15
SETTINGS = {**MESSAGES_ONLY, "fast_processing.stf_count": STFS, "fast_processing.slices_per_sample": SLICES}

WIRES = ("broker", "database")


@repeated
@pytest.mark.parametrize("wire", WIRES)
def test_a_run_is_whole_whatever_its_wires_do(
    servers: Servers,
    postgres_database: str,
    tmp_path: Path,
    tell: Tell,
    chance: random.Random,
    wire: str,
    repetition: int,
) -> None:
    with (
        TcpProxy(servers.broker.port) as to_broker,
        TcpProxy(servers.database.port) as to_database,
        Weather(to_broker, chance) as at_broker,
        Weather(to_database, chance) as at_database,
        using(settings_of(servers.database, postgres_database, port=to_database.port)),
    ):
        plan = Plan(
            root=tmp_path,
            broker=servers.broker.settings(port=to_broker.port, heartbeat_s=0.5, receipt_timeout_s=3.0),
            namespace=new_namespace(),
            settings=SETTINGS,
        )
        weather = {"broker": at_broker, "database": at_database}[wire]

        def blow(here: Life) -> bool:
            weather.look(here.epic.runtimes["worker"].counts.handled / (STFS * SLICES))
            return True

        assert live(plan, meanwhile=blow)
    records = read_service_records(servers.database.parameters(postgres_database), tmp_path)
    found: list[Finding] = check(records)
    found += left_on_broker(servers.broker, plan.namespace)
    tell(f"{wire}: {len(records.messages)} messages; {', '.join(weather.past)}: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)][:20]
    assert sorted(weather.past) == sorted(WEATHER)
