"""What is to be started, from flags, files and variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from swf.cli.starting import start_order
from swf.core.modes import Mode
from swf.service.control.start import StartedBy
from swf.service.service_file import write_service_file
from swf.service.settings import ServiceSection


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SWF_TESTBED_CONFIG", "SWF_NAMESPACE", "SWF_WORKFLOWS_PATH", "SWF_EXIT_BUFFER", "SWF_WORKERS"):
        monkeypatch.delenv(name, raising=False)


def test_agents_get_variables_that_set_something_with_paths_that_hold_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.setenv("SWF_EXIT_BUFFER", "buffer")
    monkeypatch.setenv("SWF_WORKFLOWS_PATH", "a:b")
    monkeypatch.setenv("SWF_NAMESPACE", "ann")
    monkeypatch.setenv("ACTIVEMQ_PASSWORD", "secret")
    monkeypatch.setenv("SWF_DATABASE_URL", "postgresql://u:secret@h/d")
    monkeypatch.setenv("SOMETHING_ELSE", "x")
    crew = start_order("stf_datataking", None, Path("d"), StartedBy.UP).order.crew
    assert crew.environment == {
        "SWF_EXIT_BUFFER": str(tmp_path / "buffer"),
        "SWF_WORKFLOWS_PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}",
        "SWF_NAMESPACE": "ann",
    }


def test_files_are_told_to_agents_with_absolute_paths(tmp_path: Path) -> None:
    Path("testbed.toml").write_text('[testbed]\nnamespace = "ann"\n')
    Path("mine.toml").write_text('[workflow]\nname = "mine"\nkind = "stf_datataking"\n')
    crew = start_order("mine.toml", None, Path("d"), StartedBy.UP).order.crew
    (program, *_) = crew.programs(tmp_path / "d")
    assert list(program.command[-4:]) == [
        *("--workflow", str(tmp_path / "mine.toml")),
        *("--config", str(tmp_path / "testbed.toml")),
    ]


def test_without_a_name_it_is_the_workflow_of_last_time_then_the_users_then_fast_processing(tmp_path: Path) -> None:
    data_dir = tmp_path / "d"
    data_dir.mkdir()

    def workflow() -> str:
        return start_order(None, None, data_dir, StartedBy.UP).order.crew.workflow

    assert workflow() == "fast_processing"
    Path("testbed.toml").write_text('[workflow]\nname = "stf_processing"\n')
    assert workflow() == "stf_processing"
    service = {"mode": Mode.SERVICE, "by": "up", "workflow": "stf_datataking"}
    write_service_file(data_dir / "service.toml", {ServiceSection: service})
    assert workflow() == "stf_datataking"


def test_agents_are_those_that_the_configuration_enables(tmp_path: Path) -> None:
    Path("testbed.toml").write_text("[agents.watcher]\nenabled = false\n")
    assert start_order("stf_datataking", None, tmp_path, StartedBy.UP).order.crew.roles == ("daq", "data")
