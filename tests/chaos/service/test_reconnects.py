"""A hundred lost connections, to the broker and to the database: none of what a process holds grows."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import psycopg
from checker import check
from django.db import connection
from findings import counted, harm
from left_alone import Tell
from process_in_test import MESSAGES_ONLY, Life, Plan, life
from records import read_service_records
from servers import Servers
from wires import CONSUMED, left_on_broker, new_namespace, queue_of

from services.activemq import connections_to
from services.stomp_bus import eventually
from services.tcp_proxy import TcpProxy
from store_fixture import settings_of, using
from swf.service.executions import Status, set_status
from swf.store.sequencer import Sequencer

TIMES: Final = 100
_FIRST: Final = 10
"""Of these, the first ones may still make what is made once: the count begins behind them."""

SETTINGS = {**MESSAGES_ONLY, "fast_processing.stf_count": 10, "fast_processing.slices_per_sample": 15}


def test_a_hundred_reconnects_leave_connections_consumers_threads_and_files_as_they_were(
    servers: Servers, postgres_database: str, tmp_path: Path, tell: Tell
) -> None:
    with (
        TcpProxy(servers.broker.port) as to_broker,
        TcpProxy(servers.database.port) as to_database,
        using(settings_of(servers.database, postgres_database, port=to_database.port)),
    ):
        plan = Plan(
            root=tmp_path,
            broker=servers.broker.settings(port=to_broker.port),
            namespace=new_namespace(),
            settings=SETTINGS,
        )
        with life(plan, chance=lambda: 0.0) as here, servers.broker.client() as client:
            eventually(lambda: here.bus.status().ready, "connected")
            threads = files = 0
            for turn in range(TIMES):
                lives = here.bus.status().consumer.connections + 1
                to_broker.cut()
                to_database.cut()
                while not (_again(here, lives) and _database_answers()):
                    here.step()
                consumers = [
                    client.statistics(queue_of(plan.namespace, role, destination)).get("consumerCount", 0)
                    for role, destination in CONSUMED
                ]
                assert consumers == [1] * len(CONSUMED)
                eventually(lambda: connections_to(to_broker.port) == 2, "one to consume and one to publish")
                eventually(lambda: _sessions(servers, postgres_database) == 1, "one session at the database")
                if turn < _FIRST:
                    threads, files = threading.active_count(), _open_files()
                eventually(lambda n=threads: threading.active_count() <= n, "no thread more")  # type: ignore[misc]
                eventually(lambda n=files: _open_files() <= n, "no open file more")  # type: ignore[misc]
            while not here.done:
                here.step()
            here.epic.close()
            set_status(here.execution, Status.COMPLETED, plan.clock)
            Sequencer(plan.clock).drain()
    records = read_service_records(servers.database.parameters(postgres_database), tmp_path)
    found = [*check(records), *left_on_broker(servers.broker, plan.namespace)]
    tell(f"{TIMES} reconnects of both: {threads} threads, {files} files at the 10th and the last; {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)]


def _again(here: Life, lives: int) -> bool:
    status = here.bus.status()
    return status.ready and status.consumer.connections >= lives


def _database_answers() -> bool:
    return connection.connection is not None and connection.is_usable()


def _sessions(servers: Servers, name: str) -> int:
    with psycopg.connect(**servers.database.parameters()) as look:
        row = look.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]).fetchone()
    return int(row[0]) if row else 0


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
