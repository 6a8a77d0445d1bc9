"""Setting a working folder up."""

from __future__ import annotations

import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

import swf.deploy
from swf.config import Sources, WorkflowRegistry, user_file
from swf.core.errors import ConfigError, StorageError
from swf.deploy.compose import ServiceEnvironment
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.service import containers
from swf.service.setup import Prepared, prepare
from swf.service.workspace import Workspace

TEMPLATES = Path(swf.deploy.__file__).parent / "templates"
REPOSITORY = Path(__file__).parents[3]


def prepared(folder: Path) -> Prepared:
    return prepare(folder, Workspace(root=folder / "swf-data"), "torre1")


def test_everything_is_made_once(tmp_path: Path) -> None:
    names = ["swf-data", "testbed.toml", "setup.sh", "swf-data/service.env"]
    first = prepared(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in first.made] == names
    assert (tmp_path / "swf-data" / "logs").is_dir()
    (tmp_path / "testbed.toml").write_text("# mine")
    secrets = (tmp_path / "swf-data" / "service.env").read_text()
    again = prepared(tmp_path)
    assert (again.made, again.kept) == ((), first.made)
    assert (tmp_path / "testbed.toml").read_text() == "# mine"
    assert (tmp_path / "swf-data" / "service.env").read_text() == secrets


def test_secrets_are_for_their_owner_only_and_new_each_time(tmp_path: Path) -> None:
    read = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        prepared(folder)
        workspace = Workspace(root=folder / "swf-data")
        path = containers.environment_file(workspace)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        read.append(containers.read_environment(workspace))
        credentials = containers.broker_folder(workspace) / "conf" / "credentials.properties"
        assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
        assert read[-1].broker_passwords["agent"] in credentials.read_text()
    passwords = [secret for each in read for secret in (each.database_password, *each.broker_passwords.values())]
    assert len(set(passwords)) == len(passwords) == 10
    assert read[0].project != read[1].project
    assert not any(secret in repr(read) for secret in passwords)


def test_secrets_that_others_may_read_are_not_used(tmp_path: Path) -> None:
    prepared(tmp_path)
    workspace = Workspace(root=tmp_path / "swf-data")
    containers.environment_file(workspace).chmod(0o640)
    with pytest.raises(ConfigError, match="others may read it: chmod 600"):
        containers.read_environment(workspace)


def test_a_port_that_is_taken_is_not_chosen(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 61613))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good for this test
        prepared(tmp_path)
    environment = containers.read_environment(Workspace(root=tmp_path / "swf-data"))
    assert environment.broker_port != 61613


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file.*cannot be written"):
        prepared(tmp_path / "file")


def test_the_configuration_can_be_used_as_it_is_and_with_all_its_lines(tmp_path: Path) -> None:
    prepared(tmp_path)
    file = tmp_path / "testbed.toml"
    text = file.read_text()
    for content in (text, re.sub(r"(?m)^# (?=\w+ = |\[\w+\]$)", "", text)):
        file.write_text(content)
        sources = Sources(user_file=user_file(file, {}, tmp_path), folder=tmp_path)
        registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=sources)
        configuration = registry.load(registry.find(registry.default))
        assert configuration.value("testbed.namespace").value == "torre1"
    # Every default that is shown is the default.
    shown = {value.key: value for value in configuration.values()}
    section = ""
    for line in content.splitlines():
        if header := re.match(r"\[(\w+)\]", line):
            section = header[1]
        key = re.match(r"(\w+) = (.+?)(\s+#.*)?$", line)
        if key and section not in {"testbed", "workflow", "fast_processing"}:
            assert shown[f"{section}.{key[1]}"].text == key[2], line
    assert len(content.splitlines()) == len(text.splitlines())


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_setup_sh_sets_swf_home_and_the_path(tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    folder = tmp_path / "a folder"
    prepared(folder)
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    script = f'cd /; . "{folder}/setup.sh"; . "{folder}/setup.sh"; echo "$SWF_HOME"; echo "$PATH"'
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    home, path = done.stdout.splitlines()
    assert home == str(folder)
    assert path.split(":").count(str(commands)) == 1
    assert path.startswith(f"{commands}:")
    run = subprocess.run([shell, folder / "setup.sh"], capture_output=True, text=True, check=False)
    assert (run.returncode, "source this file instead" in run.stderr) == (2, True)


def test_setup_sh_says_what_to_do_in_other_shells(tmp_path: Path) -> None:
    prepared(tmp_path)
    done = subprocess.run(
        ["sh", "-c", f". {tmp_path}/setup.sh"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    if not done.stderr.startswith("SWF_HOME is"):  # sh is bash on some systems
        assert "neither bash nor zsh" in done.stderr


def test_the_repository_has_the_same_file() -> None:
    assert (REPOSITORY / "setup.sh").resolve() == (TEMPLATES / "setup.sh").resolve()


def test_service_env_is_read_as_it_was_written(tmp_path: Path) -> None:
    environment = ServiceEnvironment.new(database_port=5433, broker_port=61614)
    path = tmp_path / "service.env"
    path.write_text(environment.text(tmp_path / "broker"))
    assert ServiceEnvironment.read(path) == environment
    path.write_text(f"{path.read_text()}\nSWF_ACTIVEMQ_IMAGE=example.org/mq:1  # ours\n")
    assert ServiceEnvironment.read(path).images == {"SWF_ACTIVEMQ_IMAGE": "example.org/mq:1"}


def test_a_shell_reads_service_env_alike(tmp_path: Path) -> None:
    environment = ServiceEnvironment.new(database_port=5433, broker_port=61614)
    path = tmp_path / "service.env"
    path.write_text(environment.text(tmp_path / "a broker"))
    done = subprocess.run(["sh", "-c", f"set -a; . {path}; env"], capture_output=True, text=True, check=True)
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert environment.variables(tmp_path / "a broker").items() <= found.items()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("ACTIVEMQ_PORT='61614'", "ACTIVEMQ_PORT='http'"),
            "ACTIVEMQ_PORT=http: expected a whole number from 1 to 65535",
        ),
        (("SWF_UID=", "SWF_UIX="), "SWF_UID has no value"),
        (("SWF_DATABASE_NAME='swf'", "SWF_DATABASE_NAME='swf"), r"line \d+: No closing quotation"),
        (("SWF_DATABASE_NAME='swf'", "what is this"), r"line \d+: expected NAME='value'"),
    ],
)
def test_a_wrong_service_env_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "service.env"
    text = ServiceEnvironment.new(database_port=5433, broker_port=61614).text(tmp_path)
    path.write_text(text.replace(*change))
    with pytest.raises(ConfigError, match=message):
        ServiceEnvironment.read(path)


def test_without_service_env_it_says_who_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make it with testbed init"):
        ServiceEnvironment.read(tmp_path / "service.env")
