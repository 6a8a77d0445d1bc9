"""The text of supervisord's configuration, read back by supervisor itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from swf.core.errors import ConfigError
from swf.service.control.agents import Crew, chosen, program_name, role_of
from swf.service.control.programs import Program, command_line, configuration, environment_text

AWKWARD = '/data of "ann" 50%(x)s #1 ;2 it\'s \\ é'


def _read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[Any]:
    """The programs, as the real program takes them."""
    options = pytest.importorskip("supervisor.options")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "supervisor").mkdir()
    (tmp_path / "logs").mkdir()
    path = tmp_path / "supervisor" / "supervisord.conf"
    path.write_text(text, encoding="utf-8")
    server = options.ServerOptions()
    server.realize(["-c", str(path)])
    return [process for group in server.process_group_configs for process in group.process_configs]


def test_whatever_a_path_has_in_it_arrives_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    crew = Crew(
        roles=("fast_processing",),
        workflow=f"{AWKWARD}/flow.toml",
        config=Path(f"{AWKWARD}/testbed.toml"),
        environment={"SWF_NAMESPACE": "ann's 100 % 'own', really", "SWF_EXIT_BUFFER": 'a "b" c'},
    )
    (program,) = crew.programs(Path(AWKWARD))
    text = configuration([program], socket=Path("supervisor/supervisor.sock"), user="root" if os.geteuid() == 0 else "")
    (read,) = _read_back(tmp_path, monkeypatch, text)
    assert read.name == "fast-processing-agent"
    assert shlex.split(read.command) == list(program.command)
    assert read.environment == dict(crew.environment)
    assert read.stdout_logfile == "logs/fast-processing-agent.out.log", "from the data directory on, where it runs"
    assert (read.autostart, read.stopsignal.name, read.stopwaitsecs, read.killasgroup) == (False, "SIGTERM", 15, True)
    assert read.stopasgroup is False, "payloads end when their agent ends them"


def test_it_listens_at_a_private_socket_and_nowhere_else() -> None:
    text = configuration([], socket=Path("supervisor/supervisor.sock"))
    assert "chmod=0700" in text
    assert "inet_http_server" not in text


@pytest.mark.parametrize("part", ["two\nlines", "a\0nul", "tab\there"])
def test_a_command_that_cannot_be_written_is_refused(part: str) -> None:
    with pytest.raises(ConfigError, match="cannot be printed"):
        command_line(["python", part])


@pytest.mark.parametrize("value", ["both \" and '", "two\nlines"])
def test_a_variable_that_cannot_be_written_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match=r"SWF_WORKERS cannot be given to agents.*configuration file instead"):
        environment_text({"SWF_WORKERS": value})


@pytest.mark.parametrize("value", ["a #b", "a ;b"])
def test_a_variable_that_would_be_cut_short_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="begins a comment"):
        environment_text({"SWF_WORKERS": value})


def test_a_name_cannot_bring_a_section_of_its_own() -> None:
    with pytest.raises(ConfigError, match="no name of a program"):
        configuration([Program(name="x]\n[program:y", command=["true"])], socket=Path("s"))


@pytest.mark.parametrize("role", ["data", "fast_processing", "prompt_processing"])
def test_a_program_tells_its_role(role: str) -> None:
    assert role_of(program_name(role)) == role


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ([], ["data-agent", "fast-processing-agent"]),
        (["fast_processing"], ["fast-processing-agent"]),
        (["fast-processing-agent", "fast-processing"], ["fast-processing-agent"]),
    ],
)
def test_agents_are_named_by_role_or_by_program_and_servers_are_none(wanted: list[str], names: list[str]) -> None:
    assert chosen(["activemq", "data-agent", "fast-processing-agent", "postgresql"], wanted) == names
