"""Commands of the service mode where nothing runs: what they say, and that they make nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import Testbed

_VARIABLES = ("ACTIVEMQ_USER", "ACTIVEMQ_PASSWORD", "SWF_DATABASE_URL", "SWF_DATABASE_NAME", "PGDATABASE", "SWF_MODE")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("command", ["down", "stop-local"])
def test_ending_what_was_not_started_is_nothing(testbed: Testbed, tmp_path: Path, command: str) -> None:
    ended = testbed(command, "--json")
    assert (ended.code, ended.json) == (0, {"stopped": [], "was_in_service": False})
    assert testbed(command).out == "nothing was started here\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["agents", "list"], ["agents", "start"], ["agents", "stop", "data"], ["stop-agents"]]
)
def test_where_no_agents_run_it_is_said_how_to_start_them(testbed: Testbed, tmp_path: Path, command: list[str]) -> None:
    ended = testbed(*command)
    assert ended.code == 2
    assert "no agents run here; start them with `testbed up`" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_set_is_said_of_both_servers_at_once(testbed: Testbed, tmp_path: Path) -> None:
    ended = testbed("start-local", "stf_datataking")
    assert ended.code == 2
    assert "[database] name is not set" in ended.err
    assert "[bus] user is not set" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_look_where_nothing_is_finds_nothing_well(testbed: Testbed) -> None:
    ended = testbed("status-local", "--json")
    assert ended.code == 1
    assert ended.json["well"] is False
    assert all(ended.json["troubles"][what] for what in ("database", "broker", "agents"))


@pytest.mark.parametrize("command", ["up", "start-local"])
def test_a_workflow_that_is_not_there_starts_nothing(testbed: Testbed, tmp_path: Path, command: str) -> None:
    ended = testbed(command, "nonsense")
    assert ended.code == 4
    assert 'there is no workflow "nonsense"' in ended.err
    assert list(tmp_path.iterdir()) == []


def test_up_says_all_that_is_not_installed(testbed: Testbed, monkeypatch: pytest.MonkeyPatch) -> None:
    from swf.deploy import activemq, postgresql

    monkeypatch.setattr(postgresql, "find_program", lambda: None)
    monkeypatch.setattr(activemq, "find_program", lambda: None)
    ended = testbed("up")
    assert ended.code == 2
    assert "apt-get install --no-install-recommends postgresql activemq libxstream-java libjettison-java" in ended.err
    assert "with docker: testbed start" in ended.err
