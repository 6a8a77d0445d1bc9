"""Ports and passwords of the servers of a data directory, and the end of a log."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from swf.core.errors import ConfigError
from swf.service.control.local_servers import LocalServers, free_ports, is_free
from swf.service.control.log_tail import log_tail
from swf.service.workspace import Workspace


def test_ports_and_passwords_are_kept_for_their_owner_and_found_again(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    assert LocalServers.of(workspace) is None
    made = LocalServers.new()
    made.keep(workspace)
    assert LocalServers.of(workspace) == made
    assert (tmp_path / "servers.json").stat().st_mode & 0o777 == 0o600
    secrets = [made.database_password, made.database_admin_password, *made.broker_passwords.values()]
    assert len(set(secrets)) == len(secrets)
    assert not any(secret in repr(made) for secret in secrets)


@pytest.mark.parametrize("text", ["", "{}", '{"database_port": 0}', "[1]"])
def test_a_record_that_is_broken_is_named_and_never_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "servers.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"servers\.json cannot be used: .*restore it, or choose another --data-dir"):
        LocalServers.of(Workspace(root=tmp_path))
    assert path.read_text() == text


def test_a_port_at_which_somebody_listens_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])


def test_free_ports_are_different_ones() -> None:
    assert len(set(free_ports(20))) == 20


def test_the_end_of_a_log_has_no_line_twice_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("\n".join(["old"] * 3 + ["", "a", "b", "b", "c" * 1000, ""]))
    assert log_tail(path, 3) == ["a", "b", "c" * 300]
    assert log_tail(tmp_path / "none") == []
