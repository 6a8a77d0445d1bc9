"""`testbed start-local` and `stop-local`: agents with a broker and a database that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from services.activemq import ActiveMq
from services.postgres import PostgresServer
from services.testbed import NEEDED, installed, service_testbed

pytestmark = [pytest.mark.services, pytest.mark.skipif(not installed(), reason=NEEDED)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    """A broker that nobody of ours has started."""
    with ActiveMq(tmp_path_factory.mktemp("broker"), openwire=True) as broker:
        yield broker


@pytest.fixture
def variables(broker: ActiveMq, postgres: PostgresServer) -> Mapping[str, str]:
    """The variables that older instructions name, and those of the database."""
    name = "start_local"
    postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    postgres.execute(f"CREATE DATABASE {name}")
    return {
        "ACTIVEMQ_HOST": "127.0.0.1",
        "ACTIVEMQ_PORT": str(broker.port),
        "ACTIVEMQ_USER": "agent",
        "ACTIVEMQ_PASSWORD": broker.plan.passwords["agent"],
        "SWF_DATABASE_HOST": "127.0.0.1",
        "SWF_DATABASE_PORT": str(postgres.port),
        "SWF_DATABASE_NAME": name,
        "SWF_DATABASE_USER": postgres.user,
        "SWF_DATABASE_PASSWORD": postgres.password,
        "SWF_NAMESPACE": "local",
    }


def test_agents_are_started_with_servers_that_are_there_and_stopped_without_them(
    variables: Mapping[str, str], broker: ActiveMq, postgres: PostgresServer
) -> None:
    with service_testbed("d", variables) as testbed:
        started = testbed.must("start-local", "stf_datataking", "--json").json
        assert {agent["role"]: agent["ready"] for agent in started["agents"]} == {
            "daq": True,
            "data": True,
            "watcher": True,
        }
        assert variables["ACTIVEMQ_PASSWORD"] not in _environments(testbed.processes())
        assert testbed.must("status-local", "--json").json["well"] is True
        testbed.must("stop-local")
        assert testbed.processes() == []
        assert testbed("status-local").code == 1
    broker.client().close()
    postgres.execute("SELECT 1")


def test_what_is_wrong_with_both_servers_is_said_at_once(variables: Mapping[str, str]) -> None:
    wrong = {**variables, "SWF_DATABASE_PASSWORD": "guess", "ACTIVEMQ_PASSWORD": "guess"}
    with service_testbed("d", wrong) as testbed:
        ended = testbed("start-local", "stf_datataking")
        assert ended.code == 2
        assert "the server refuses the user or the password" in ended.err
        assert "refused user 'agent'" in ended.err
        assert not testbed.data_dir.exists()


def test_the_port_of_another_protocol_is_named(variables: Mapping[str, str], broker: ActiveMq) -> None:
    with service_testbed("d", {**variables, "ACTIVEMQ_PORT": str(broker.plan.openwire_port)}) as testbed:
        ended = testbed("start-local", "stf_datataking")
        assert ended.code == 1
        assert "speaks OpenWire, not STOMP" in ended.err


def _environments(pids: list[int]) -> str:
    return "".join(Path(f"/proc/{pid}/environ").read_text(errors="replace") for pid in pids)
