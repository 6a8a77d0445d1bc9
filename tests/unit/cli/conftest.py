"""The command line within the test's process: a data directory of its own, and what a shell would see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from shell import Ended, Testbed

from swf.cli.boundary import guarded
from swf.cli.main import application
from swf.store import database


@pytest.fixture
def testbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Testbed]:
    """Runs `testbed` with arguments, in an empty working folder, in this process.

    Django is configured once per process, so that opening a store means to turn its connection to another file.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("SWF_TESTBED_CONFIG", "SWF_NAMESPACE", "SWF_WORKFLOWS_PATH", "SWF_EXIT_BUFFER", "SWF_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    settings = connections["default"].settings_dict
    before = dict(settings)

    def turn(to: Mapping[str, Any], instrument_apps: object, more: object = None) -> None:
        connections.close_all()
        settings.update(to)

    monkeypatch.setattr(database, "configure", turn)

    def run(*arguments: str | Path) -> Ended:
        given = [str(argument) for argument in arguments]
        code = guarded(lambda: application()(args=given, prog_name="testbed", standalone_mode=False), given)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err or "-v" in given
        return Ended(code=int(code), out=captured.out, err=captured.err)

    yield run
    connections.close_all()
    settings.update(before)


@pytest.fixture
def data_dir(store: Path, database_kind: str) -> Path:
    """A data directory with an empty store."""
    if database_kind != "sqlite":
        pytest.skip("the store of a data directory is SQLite")
    return store.parent
