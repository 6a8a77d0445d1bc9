"""The compose file, and docker's command line."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from swf.core.errors import ServiceError
from swf.deploy.compose import Container, Project, ServiceEnvironment
from swf.deploy.compose.engine import COMPOSE_FILE

ENVIRONMENT = ServiceEnvironment.new(database_port=15432, broker_port=16161)


def compose_file() -> dict[str, Any]:
    """The file with its values put in, as compose does it."""
    variables = ENVIRONMENT.variables(Path("/data dir/containers/activemq"))

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if name in variables:
            return variables[name]
        assert kind == ":-", f"{name} has no value"
        return rest

    text = COMPOSE_FILE.read_text()
    made: dict[str, Any] = yaml.safe_load(re.sub(r"(?<!\$)\$\{(\w+)(:[-?])([^}]*)\}", value, text))
    return made


def test_it_has_the_two_servers_and_ports_for_this_machine_only() -> None:
    services = compose_file()["services"]
    ports = {name: service["ports"] for name, service in services.items()}
    assert ports == {"postgresql": ["127.0.0.1:15432:5432"], "activemq": ["127.0.0.1:16161:61613"]}
    assert all(
        set(service) >= {"image", "healthcheck", "restart", "stop_grace_period"} for service in services.values()
    )
    assert all(":" in service["image"] and not service["image"].endswith(":latest") for service in services.values())


def test_it_has_no_secret_of_its_own() -> None:
    text = COMPOSE_FILE.read_text()
    assert all(line.partition(":")[2].strip().startswith("${") for line in text.splitlines() if "PASSWORD:" in line)
    database = compose_file()["services"]["postgresql"]["environment"]
    assert database["POSTGRES_PASSWORD"] == ENVIRONMENT.database_password
    assert len(re.findall(r"\$\{\w+:\?", text)) == len(re.findall(r"\$\{", text.replace("${...}", ""))) - 2  # images


def test_data_outlive_the_containers() -> None:
    made = compose_file()
    assert made["volumes"] == {"postgresql": {}}
    assert made["services"]["postgresql"]["volumes"] == ["postgresql:/var/lib/postgresql/data"]
    (broker,) = made["services"]["activemq"]["volumes"]
    assert broker == {"type": "bind", "source": "/data dir/containers/activemq", "target": "/broker"}
    assert "-Dactivemq.data=/broker/data" in made["services"]["activemq"]["entrypoint"]


def _has_compose() -> bool:
    """Whether `docker compose` is there; it needs no engine to read a file."""
    program = shutil.which("docker")
    if program is None:
        return False
    return subprocess.run([program, "compose", "version"], check=False, capture_output=True).returncode == 0


needs_docker = pytest.mark.skipif(shutil.which("docker") is None, reason="needs docker's command line")


@needs_docker
def test_an_engine_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(
        ServiceError, match=r"no engine answers: .*none\.sock.*; start it, or use `testbed up` with local"
    ):
        Project({}).check()


@pytest.mark.skipif(not _has_compose(), reason="needs docker's compose plugin")
def test_compose_accepts_the_file(tmp_path: Path) -> None:
    understood = yaml.safe_load(Project(ENVIRONMENT.variables(tmp_path)).configuration())
    assert set(understood["services"]) == {"postgresql", "activemq"}
    assert understood["name"] == ENVIRONMENT.project


def test_without_docker_it_says_what_else_there_is(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"docker is not installed: .*`testbed up` with locally installed servers"):
        Project({"PATH": str(tmp_path)}).check()


class FakeDocker:
    """A program in docker's place: writes down how it was called, and answers as it is told. There is no engine where
    the tests run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {"PATH": f"{folder}:/usr/bin:/bin", "COMPOSE_PROJECT_NAME": "swf-test", "SECRET": "s3cret"}

    def answers(self, answer: str, *, code: int = 0, error: str = "") -> None:
        (self.folder / "answer").write_text(answer)
        (self.folder / "error").write_text(error)
        program = self.folder / "docker"
        program.write_text(
            f'#!/bin/sh\necho "$*" >> "{self.folder}/calls"\necho "$SECRET" > "{self.folder}/secret"\n'
            f'cat "{self.folder}/answer"\ncat "{self.folder}/error" >&2\nexit {code}\n'
        )
        program.chmod(0o755)

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    return FakeDocker(tmp_path)


def test_up_waits_for_health_and_down_leaves_the_data(docker: FakeDocker) -> None:
    docker.answers("")
    project = Project(docker.variables)
    project.up(patience_s=60)
    project.down()
    up, down = docker.calls()
    assert up == f"compose --file {COMPOSE_FILE} up --detach --wait --wait-timeout 60"
    assert down == f"compose --file {COMPOSE_FILE} down"
    assert "s3cret" not in up + down
    assert (docker.folder / "secret").read_text() == "s3cret\n"


def test_what_the_engine_says_is_passed_on(docker: FakeDocker) -> None:
    docker.answers("", code=18, error="Container a  Starting\nError response: port is already allocated.\n")
    with pytest.raises(
        ServiceError, match=r"compose up failed: Error response: port is already allocated; see: .*swf-test"
    ):
        Project(docker.variables).up()


def test_docker_without_compose_is_said(docker: FakeDocker, tmp_path: Path) -> None:
    docker.answers("")
    text = (tmp_path / "docker").read_text()
    (tmp_path / "docker").write_text(text.replace("exit 0", '[ "$1" = version ]'))
    with pytest.raises(ServiceError, match="without its compose plugin"):
        Project(docker.variables).check()


@pytest.mark.parametrize("layout", ["{0}\n{1}\n", "[{0}, {1}]"])
def test_containers_are_read_in_both_formats(docker: FakeDocker, layout: str) -> None:
    rows = (
        '{"Service": "postgresql", "State": "running", "Health": "healthy", "Status": "Up 2 minutes (healthy)"}',
        '{"Service": "activemq", "State": "exited", "Health": "", "Status": "Exited (1)"}',
    )
    docker.answers(layout.format(*rows))
    database, broker = Project(docker.variables).containers()
    assert database == Container(
        service="postgresql", state="running", health="healthy", status="Up 2 minutes (healthy)"
    )
    assert (database.in_order, broker.in_order) == (True, False)
