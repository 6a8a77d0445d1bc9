"""`testbed up` and `down`: real servers, a real supervisord, one process per agent."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.testbed import NEEDED, ServiceTestbed, eventually, installed, service_testbed
from swf.service.control.orphans import runs
from swf.service.workspace import Workspace

pytestmark = [pytest.mark.services, pytest.mark.skipif(not installed(), reason=NEEDED)]

WORKFLOW = "stf_datataking"
ROLES = {"daq", "data", "watcher"}
LONG_NAME = "data of a long name, with blanks " + "x" * 100
"""Too long for a socket within."""


@pytest.fixture(scope="module")
def running() -> Iterator[ServiceTestbed]:
    """A testbed that is up; each test leaves it so."""
    with service_testbed(LONG_NAME) as testbed:
        testbed.must("up", WORKFLOW)
        yield testbed


def _ready(testbed: ServiceTestbed) -> bool:
    agents = testbed.agents()
    return agents.keys() == ROLES and all(agent["ready"] for agent in agents.values())


def _database_pid(testbed: ServiceTestbed) -> int:
    return int((testbed.data_dir / "postgresql" / "cluster" / "postmaster.pid").read_text().split()[0])


def test_up_gives_one_ready_process_per_agent(running: ServiceTestbed) -> None:
    agents = running.agents()
    assert agents.keys() == ROLES
    assert all(agent["ready"] and agent["state"] == "RUNNING" for agent in agents.values())
    assert len({agent["pid"] for agent in agents.values()}) == len(ROLES)
    assert running.must("status-local", "--json").json["well"] is True


def test_a_second_up_starts_nothing(running: ServiceTestbed) -> None:
    before = running.agents()
    again = running.must("up", "--json").json
    assert again["started"] == []
    assert {agent["role"]: agent["pid"] for agent in again["agents"]} == {
        role: agent["pid"] for role, agent in before.items()
    }


def test_secrets_are_for_their_owner_and_on_no_command_line(running: ServiceTestbed) -> None:
    import tomllib

    root = running.data_dir
    for name in ("service.toml", "servers.json", "supervisor/supervisord.conf"):
        assert (root / name).stat().st_mode & 0o077 == 0, name
    service = tomllib.loads((root / "service.toml").read_text())
    secrets = [service["bus"]["password"], service["database"]["password"]]
    configuration = (root / "supervisor" / "supervisord.conf").read_text()
    pids = [running.supervisord(), *running.processes()]
    said = [Path(f"/proc/{pid}/{what}").read_bytes() for pid in pids for what in ("cmdline", "environ")]
    assert len(pids) > len(ROLES) + 2
    for secret in secrets:
        assert secret not in configuration
        assert not any(secret.encode() in text for text in said)


def test_agents_are_stopped_started_and_restarted_by_role(running: ServiceTestbed) -> None:
    before = running.agents()
    assert running.must("agents", "stop", "data", "--json").json == {"stopped": ["data-agent"]}
    stopped = running.agents()
    assert stopped["data"]["state"] == "STOPPED"
    assert stopped["watcher"]["pid"] == before["watcher"]["pid"]
    running.must("agents", "start", "data")
    assert _ready(running)
    running.must("agents", "restart", "watcher-agent")
    after = running.agents()
    assert after["watcher"]["pid"] != before["watcher"]["pid"]
    assert after["data"]["instance_name"] == before["data"]["instance_name"], "one row for its whole life"
    assert running("agents", "stop", "nobody").code == 4


def test_an_agent_that_is_killed_comes_back(running: ServiceTestbed) -> None:
    pid = running.agents()["data"]["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: running.agents()["data"]["pid"] not in {None, pid} and _ready(running))


def test_a_database_server_that_is_killed_comes_back_and_agents_go_on(running: ServiceTestbed) -> None:
    agents = {role: agent["pid"] for role, agent in running.agents().items()}
    pid = _database_pid(running)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: running("status-local").code == 0)
    assert _database_pid(running) != pid
    assert {role: agent["pid"] for role, agent in running.agents().items()} == agents


def test_after_a_killed_supervisord_up_puts_everything_right(running: ServiceTestbed) -> None:
    orphans = running.processes()
    os.kill(running.supervisord(), signal.SIGKILL)
    eventually(lambda: "supervisord was killed" in running("agents", "list").err)
    assert all(runs(pid) for pid in orphans), "the agents work on"
    assert "ending what it left behind" in running.must("up").err
    assert _ready(running)
    assert not any(runs(pid) for pid in orphans)


def test_another_data_directory_has_processes_and_ports_of_its_own(running: ServiceTestbed) -> None:
    before = running.agents()
    with service_testbed("d") as other:
        other.must("up", WORKFLOW)
        assert _ready(other)
        mine, others = (set(each.processes()) for each in (running, other))
        assert mine
        assert others
        assert not mine & others
        ports = [Workspace(root=each.data_dir).service_file.read_text() for each in (running, other)]
        assert ports[0] != ports[1]
        other.must("down")
        assert other.processes() == []
    assert running.agents().keys() == before.keys()
    assert {role: agent["pid"] for role, agent in running.agents().items()} == {
        role: agent["pid"] for role, agent in before.items()
    }


def test_what_was_started_by_up_is_not_ended_or_started_by_others(running: ServiceTestbed) -> None:
    for command in ("stop-local", "start-local"):
        ended = running(command)
        assert ended.code == 2
        assert "testbed" in ended.err
    assert _ready(running)


def test_down_ends_everything_and_a_later_up_finds_data_and_ports_again(running: ServiceTestbed) -> None:
    import tomllib

    service = running.data_dir / "service.toml"
    name = running.agents()["data"]["instance_name"]
    before = tomllib.loads(service.read_text())
    pids = [running.supervisord(), *running.processes()]
    running.must("down")
    assert not any(runs(pid) for pid in pids)
    assert not service.exists()
    assert running.must("down", "--json").json == {"stopped": [], "was_in_service": False}
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", before["database"]["port"]))
        squatter.listen()
        assert "somebody else has port" in running.must("up", WORKFLOW).err
    after = tomllib.loads(service.read_text())
    assert after["database"]["port"] != before["database"]["port"]
    assert after["bus"] == before["bus"]
    assert running.agents()["data"]["instance_name"] == name, "from the database of before"


def test_a_server_that_does_not_start_is_told_with_its_log_and_nothing_stays() -> None:
    with service_testbed("d") as testbed:
        cluster = testbed.data_dir / "postgresql" / "cluster"
        cluster.mkdir(parents=True)
        version = _version()
        (cluster / "PG_VERSION").write_text(f"{version}\n")
        ended = testbed("up", WORKFLOW)
        assert ended.code == 1
        assert "postgresql does not start" in ended.err
        assert "postgresql.conf" in ended.err or "data directory" in ended.err, "what the server itself says"
        assert testbed.processes() == []
        assert not (testbed.data_dir / "service.toml").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_up_that_is_interrupted_stops_what_it_started(number: signal.Signals) -> None:
    with service_testbed("d") as testbed:
        up = testbed.begin("up", WORKFLOW)
        assert up.stderr is not None
        assert any("postgresql: answers" in line for line in up.stderr)
        up.send_signal(number)
        _, said = up.communicate(timeout=120)
        assert up.returncode == 130
        assert "stopping what was started" in said
        assert testbed.processes() == []
        assert not (testbed.data_dir / "service.toml").exists()


def _version() -> int:
    from swf.deploy.postgresql import find_program

    program = find_program()
    assert program is not None
    return program.version
