"""Where commands look: the data directory and the user's file, with and without SWF_HOME."""

from __future__ import annotations

from pathlib import Path

import pytest

from swf.cli.options import DEFAULT_DATA_DIR
from swf.cli.session import workspace_of
from swf.config import user_file


def test_the_default_data_directory_lies_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SWF_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert workspace_of(DEFAULT_DATA_DIR).root == tmp_path / "swf-data"


def test_with_swf_home_it_lies_there_from_wherever_one_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SWF_HOME", "/lab/swf")
    monkeypatch.chdir(tmp_path)
    assert workspace_of(DEFAULT_DATA_DIR).root == Path("/lab/swf/swf-data")
    assert workspace_of(Path("other")).root == tmp_path / "other", "a name that is given is taken as it is"


def test_the_user_s_file_is_looked_for_here_and_then_in_swf_home(tmp_path: Path) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    for folder in (here, home):
        folder.mkdir()
    env = {"SWF_HOME": str(home)}
    assert user_file(None, env, here) is None
    (home / "testbed.toml").write_text("")
    assert user_file(None, env, here) == home / "testbed.toml"
    assert user_file(None, {}, here) is None
    (here / "testbed.toml").write_text("")
    assert user_file(None, env, here) == here / "testbed.toml"
