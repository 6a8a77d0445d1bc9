from __future__ import annotations

from pathlib import Path

import pytest

from swf.core.errors import ConfigError, MalformedMessageError
from swf.storage import location
from swf.storage.location import is_remote, join, require_remote_access


@pytest.mark.parametrize(
    ("folder", "remote", "joined"),
    [
        ("/data/buffer", False, "/data/buffer/a.stf"),
        ("buffer/", False, "buffer/a.stf"),
        (Path("buffer"), False, "buffer/a.stf"),
        ("root://host:1094//buffer", True, "root://host:1094//buffer/a.stf"),
        ("root://host//buffer/", True, "root://host//buffer/a.stf"),
        ("root://host", True, "root://host//a.stf"),
        ("root://host//", True, "root://host//a.stf"),
        ("root://host/buffer", True, "root://host//buffer/a.stf"),
        ("roots://host//buffer?authz=x", True, "roots://host//buffer/a.stf?authz=x"),
    ],
)
def test_joining(folder: str | Path, remote: bool, joined: str) -> None:
    assert is_remote(folder) is remote
    assert join(folder, "a.stf") == joined


@pytest.mark.parametrize("name", ["../a.stf", "/a.stf", "b/a.stf", "", ".a", "a\n"])
def test_a_name_cannot_leave_its_folder(name: str) -> None:
    with pytest.raises(MalformedMessageError, match="not a plain file name"):
        join("/data", name)


def test_what_is_missing_for_servers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"swf-testbed\[services\]"):
        require_remote_access("root://host//a.stf")
