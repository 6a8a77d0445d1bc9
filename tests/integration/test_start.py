"""`testbed start`, `status` and `stop`. There is no engine here: real servers listen at the ports of `service.env`, and
a program in docker's place writes down what it is asked for. What a real docker says without an engine is tried too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from services.activemq import ActiveMq
from services.postgres import PostgresServer
from services.testbed import NEEDED, ServiceTestbed, installed, service_testbed
from swf.deploy.compose import ServiceEnvironment

pytestmark = [pytest.mark.services, pytest.mark.skipif(not installed(), reason=NEEDED)]

PS = """\
{"Service": "postgresql", "State": "running", "Health": "healthy", "Status": "Up 3 minutes (healthy)"}
{"Service": "activemq", "State": "running", "Health": "healthy", "Status": "Up 3 minutes (healthy)"}
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    """In place of the broker's container. Its passwords have no quote in them, as those of service.env."""
    with ActiveMq(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture
def environment(broker: ActiveMq, postgres: PostgresServer) -> ServiceEnvironment:
    """What service.env says of the servers."""
    name = "in_containers"
    postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    postgres.execute(f"CREATE DATABASE {name}")
    made = ServiceEnvironment.new(database_port=postgres.port, broker_port=broker.port)
    return replace(
        made,
        database_name=name,
        database_user=postgres.user,
        database_password=postgres.password,
        broker_passwords={**made.broker_passwords, "agent": broker.plan.passwords["agent"]},
    )


def in_dockers_place(folder: Path) -> Mapping[str, str]:
    """A program named docker that notes its arguments, and the variables to find it first."""
    folder.mkdir()
    (folder / "ps").write_text(PS)
    program = folder / "docker"
    program.write_text(f'#!/bin/sh\necho "$*" >> "{folder}/calls"\ncase "$*" in *" ps "*) cat "{folder}/ps" ;; esac\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin"}


def test_servers_come_first_and_go_last(
    environment: ServiceEnvironment, postgres: PostgresServer, tmp_path: Path
) -> None:
    docker = tmp_path / "docker"
    with service_testbed("d", {**in_dockers_place(docker), "SWF_NAMESPACE": "contained"}) as testbed:
        testbed.must("init", str(testbed.data_dir.parent))
        secrets = testbed.data_dir / "service.env"
        secrets.write_text(environment.text(testbed.data_dir / "containers" / "activemq"))
        try:
            _through(testbed, docker)
        finally:
            testbed("stop")
    commands = [line.partition("compose.yaml ")[2] for line in (docker / "calls").read_text().splitlines()]
    steps = [command.partition(" ")[0] for command in commands if command]
    assert steps == ["up", "ps", "down", "ps", "down"]
    calls = (docker / "calls").read_text()
    assert environment.database_password not in calls
    postgres.execute("DROP DATABASE in_containers WITH (FORCE)")


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs docker's command line")
def test_an_engine_that_does_not_answer_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with service_testbed("d", {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}) as testbed:
        testbed.must("init", str(testbed.data_dir.parent))
        before = sorted(path.name for path in testbed.data_dir.iterdir())
        ended = testbed("start")
        assert ended.code == 1
        assert "docker is installed, but no engine answers" in ended.err
        assert "`testbed up` with locally installed servers" in ended.err
        assert sorted(path.name for path in testbed.data_dir.iterdir()) in (before, [*before, "supervisor"])
        assert testbed.processes() == []
        assert testbed("status").code == 1


def test_without_init_it_says_who_makes_what_is_needed() -> None:
    with service_testbed("d", {}) as testbed:
        ended = testbed("start")
        assert (ended.code, "make it with testbed init" in ended.err) == (2, True)
        assert not testbed.data_dir.exists()


def _through(testbed: ServiceTestbed, docker: Path) -> None:
    started = testbed.must("start", "stf_datataking", "--json").json
    assert {agent["role"]: agent["ready"] for agent in started["agents"]} == {
        "daq": True,
        "data": True,
        "watcher": True,
    }
    status = testbed.must("status", "--json").json
    assert status["well"] is True
    assert [each["health"] for each in status["containers"]] == ["healthy", "healthy"]
    refused = testbed("stop-local")
    assert (refused.code, "end them first with: testbed stop" in refused.err) == (2, True)
    testbed.must("stop")
    assert testbed.processes() == []
    (docker / "ps").write_text("")
    ended = testbed("status")
    assert (ended.code, "containers: none" in ended.out) == (1, True)
