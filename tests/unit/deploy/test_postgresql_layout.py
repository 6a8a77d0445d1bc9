"""Where PostgreSQL is found, who can come to its folder, and the command that serves it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from swf.core.errors import ConfigError
from swf.deploy.postgresql import ClusterPlan, PostgresProgram, find_programs, start_command, unreachable
from swf.deploy.postgresql.program import find_program

NOBODY = 65534


def _install(debian: Path, version: str) -> None:
    folder = debian / version / "bin"
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (folder / name).write_text("")
        (folder / name).chmod(0o755)


def test_the_newest_of_debians_versions_comes_first_and_old_or_broken_ones_are_left_out(tmp_path: Path) -> None:
    for version in ("9.6", "14", "15", "100", "17"):
        _install(tmp_path, version)
    (tmp_path / "17" / "bin" / "initdb").unlink()
    assert [each.version for each in find_programs(tmp_path)] == [100, 15]


def test_a_cluster_is_served_by_the_version_that_made_it_and_by_no_other(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("9999\n")
    assert find_program(tmp_path) is None


def test_what_is_no_cluster_is_named(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("new\n")
    with pytest.raises(ConfigError, match=r"PG_VERSION says 'new': expected the number of a version"):
        find_program(tmp_path)


def test_the_command_serves_tcp_on_this_machine_only_and_has_no_secret(tmp_path: Path) -> None:
    program = PostgresProgram(version=15, folder=Path("/pg/bin"))
    plan = ClusterPlan(folder=tmp_path, port=5555, settings={"max_connections": "9"})
    command = start_command(plan, program)
    assert command[:3] == ["/pg/bin/postgres", "-D", str(tmp_path / "cluster")]
    assert {"listen_addresses=127.0.0.1", "port=5555", "unix_socket_directories=", "max_connections=9"} <= set(command)
    assert not any("fsync" in part for part in command)


@pytest.mark.parametrize(("mode", "closed"), [(0o700, True), (0o710, True), (0o711, False), (0o755, False)])
def test_a_folder_that_another_user_cannot_enter_is_named(mode: int, closed: bool) -> None:
    # Not pytest's folder: that one is closed to others.
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name)
        folder = outer / "inner"
        folder.mkdir(mode=0o755)
        outer.chmod(mode)
        assert unreachable(folder, NOBODY, NOBODY) == (outer if closed else None)
        assert unreachable(folder, os.geteuid(), os.getegid()) is None
