"""The service file: what is written is read again, by its owner only, and is stronger than the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from swf.config import Sources, load_sections
from swf.core.modes import Mode
from swf.epic.settings import KINDS
from swf.messaging.settings import BusSection
from swf.service.mode import Installation, installation
from swf.service.service_file import remove_service_file, write_service_file
from swf.service.settings import PLATFORM_ENVIRONMENT, PLATFORM_SECTIONS, ServiceSection
from swf.store.settings import DatabaseSection

AWKWARD = '50%41:c ü€$1 #!="\\\t'


def read(path: Path | None, user_file: Path | None = None, **env: str) -> Installation:
    sources = Sources(env=env, bindings=PLATFORM_ENVIRONMENT, user_file=user_file, service_file=path)
    return installation(load_sections(PLATFORM_SECTIONS, kinds=KINDS, sources=sources))


def written(path: Path) -> Path:
    write_service_file(
        path,
        {
            ServiceSection: {"mode": "service", "by": "up", "config": None},
            BusSection: {"host": "127.0.0.1", "port": 7, "user": "agent", "password": SecretStr(AWKWARD)},
            DatabaseSection: {"name": "swf", "user": "swf", "password": SecretStr("p"), "pool_size": 3},
        },
    )
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = read(written(tmp_path / "service.toml"))
    assert (found.mode, found.service.by, found.service.config) == (Mode.SERVICE, "up", None)
    assert found.bus.password.get_secret_value() == AWKWARD
    assert (found.bus.port, found.database.pool_size) == (7, 3)
    assert str(tmp_path / "service.toml") in found.origin


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = written(tmp_path / "service.toml")
    assert path.stat().st_mode & 0o777 == 0o600
    assert written(path).stat().st_mode & 0o777 == 0o600  # written once more


def test_it_is_stronger_than_the_environment_which_is_stronger_than_the_users_file(tmp_path: Path) -> None:
    user_file = tmp_path / "testbed.toml"
    user_file.write_text('[bus]\nhost = "mq.example.org"\nuser = "me"\n[fast_processing]\nstf_count = 3\n')
    without = read(None, user_file, ACTIVEMQ_USER="env", SWF_MODE="service", SWF_MONITOR_URL="https://x")
    assert (without.bus.host, without.bus.user, without.mode) == ("mq.example.org", "env", Mode.SERVICE)
    assert without.monitor.url == "https://x"
    found = read(
        written(tmp_path / "service.toml"), user_file, ACTIVEMQ_USER="env", ACTIVEMQ_HEARTBEAT_TOPIC="/topic/h"
    )
    assert (found.bus.host, found.bus.user, found.bus.heartbeat_topic) == ("127.0.0.1", "agent", "/topic/h")


def test_what_cannot_be_right_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        write_service_file(tmp_path / "service.toml", {BusSection: {"port": 0}})
    assert not list(tmp_path.iterdir())


def test_it_says_nothing_of_its_secrets(tmp_path: Path) -> None:
    found = read(written(tmp_path / "service.toml"))
    assert AWKWARD not in repr(found)
    assert AWKWARD not in found.in_words
    assert "swf at 127.0.0.1:5432 as swf" in found.in_words


def test_without_it_the_mode_is_embedded_again(tmp_path: Path) -> None:
    path = written(tmp_path / "service.toml")
    assert remove_service_file(path)
    assert not remove_service_file(path)
    assert read(None).mode is Mode.EMBEDDED


def test_workers_have_a_user_of_their_own_where_one_is_named() -> None:
    own = BusSection(user="agent", password=SecretStr("a"), worker_user="worker", worker_password=SecretStr("w"))
    worker, data = own.of_role("worker"), own.of_role("data")
    assert (worker.user, worker.password.get_secret_value()) == ("worker", "w")
    assert (data.user, data.password.get_secret_value()) == ("agent", "a")
    common = BusSection(user="agent", password=SecretStr("a"))
    assert common.of_role("worker") is common
