"""Data directories: who holds one, and looking at one without changing it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from django.db import connections

from swf.core.errors import BusyError, StorageError, UnknownNameError
from swf.service import workspace as module
from swf.service.opening import require_store
from swf.service.workspace import Workspace
from swf.store import database


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path)


class TestHolder:
    def test_nobody(self, workspace: Workspace) -> None:
        assert workspace.holder() is None
        assert list(workspace.root.iterdir()) == []

    def test_the_process_that_holds_it(self, workspace: Workspace) -> None:
        with workspace.locked():
            assert workspace.holder() == os.getpid()
        assert workspace.holder() is None

    def test_one_whose_number_is_not_there(self, workspace: Workspace) -> None:
        with (workspace.root / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert workspace.holder() == 0

    def test_a_second_holder_is_refused(self, workspace: Workspace) -> None:
        with workspace.locked(), pytest.raises(BusyError, match=f"in use by process {os.getpid()}"), workspace.locked():
            pytest.fail("two hold it")

    def test_somebody_who_only_looks_does_not_keep_it(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with (workspace.root / "lock").open("w") as looker:
            fcntl.flock(looker, fcntl.LOCK_SH)
            monkeypatch.setattr(module.time, "sleep", lambda seconds: fcntl.flock(looker, fcntl.LOCK_UN))
            with workspace.locked():
                assert workspace.holder() == os.getpid()

    def test_a_lock_that_cannot_be_read(self, workspace: Workspace) -> None:
        (workspace.root / "lock").mkdir()
        with pytest.raises(StorageError, match="cannot be read"):
            workspace.holder()


class TestLookingOnly:
    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNameError, match="there is no data directory"):
            require_store(Workspace(root=tmp_path / "none"))
        with pytest.raises(UnknownNameError, match="there is no store in the data directory"):
            require_store(Workspace(root=tmp_path))

    def test_a_frozen_store_is_read_where_nothing_can_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "swf.sqlite3"
        assert "immutable" not in database.sqlite_to_read(path)["NAME"]
        monkeypatch.setattr(os, "access", lambda *arguments: False)
        assert database.sqlite_to_read(path)["NAME"].endswith("?mode=ro&immutable=1")
        path.with_name("swf.sqlite3-wal").touch()
        assert "immutable" not in database.sqlite_to_read(path)["NAME"]

    def test_names_are_quoted(self, tmp_path: Path, store_template: Path) -> None:
        folder = tmp_path / "50% of 2?#"
        folder.mkdir()
        path = folder / "swf.sqlite3"
        path.write_bytes(store_template.read_bytes())
        settings = connections["default"].settings_dict
        before = dict(settings)
        connections.close_all()
        settings.update(database.sqlite_to_read(path))
        try:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT count(*) FROM store_run")
                assert cursor.fetchone() == (0,)
        finally:
            connections.close_all()
            settings.update(before)
