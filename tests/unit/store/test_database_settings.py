"""The section `[database]` and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from swf.core.errors import ConfigError
from swf.store.settings import ENVIRONMENT, DatabaseSection

pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'swf-testbed[services]'")

from swf.store.postgresql import described, explained, postgresql

SECRET = "s3cret-word"


def settings(**keys: Any) -> dict[str, Any]:
    return postgresql(DatabaseSection(**{"name": "swf", "user": "ann"} | keys), probe=False)


def from_url(url: str, **keys: Any) -> dict[str, Any]:
    return postgresql(DatabaseSection(url=SecretStr(url), **keys), probe=False)


def test_the_keys_name_a_database() -> None:
    made = settings(host="127.0.0.1", port=5433, password=SecretStr(SECRET))
    assert (made["NAME"], made["USER"], made["PASSWORD"]) == ("swf", "ann", SECRET)
    assert (made["HOST"], made["PORT"], made["OPTIONS"]["sslmode"]) == ("127.0.0.1", 5433, "disable")


def test_what_the_url_says_counts_and_the_keys_fill_in_the_rest() -> None:
    made = from_url(f"postgresql://bob:{SECRET}@db.example.org:6000/testbed", host="elsewhere", port=1, name="other")
    assert (made["HOST"], made["PORT"], made["NAME"]) == ("db.example.org", "6000", "testbed")
    assert (made["USER"], made["PASSWORD"]) == ("bob", SECRET)
    made = from_url("postgresql://db.example.org", port=6001, name="swf", user="ann")
    assert (made["PORT"], made["NAME"], made["USER"], made["PASSWORD"]) == (6001, "swf", "ann", "")


def test_a_connection_that_leaves_this_machine_is_encrypted_and_verified() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "/var/run/postgresql"):
        assert settings(host=host)["OPTIONS"]["sslmode"] == "disable"
    options = settings(host="db.example.org")["OPTIONS"]
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "system")
    assert settings(host="db", ssl_root_cert="/etc/ca.pem")["OPTIONS"]["sslrootcert"] == "/etc/ca.pem"
    assert settings(host="127.0.0.1", sslmode="verify-full")["OPTIONS"]["sslmode"] == "verify-full"


def test_encryption_without_verification_is_refused() -> None:
    with pytest.raises(ValidationError):
        settings(sslmode="require")
    with pytest.raises(ConfigError, match="sslmode = require: expected one of disable, verify-ca, verify-full"):
        from_url("postgresql://ann@db/swf?sslmode=require")
    with pytest.raises(ConfigError, match="ssl_root_cert is not set"):
        settings(host="db", sslmode="verify-ca")


@pytest.mark.parametrize(("keys", "key"), [({"name": ""}, "name"), ({"user": ""}, "user")])
def test_a_database_must_be_named(keys: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[database\] {key} is not set.*SWF_DATABASE_URL"):
        settings(**keys)


def test_an_address_that_is_none_is_refused_without_repeating_its_password() -> None:
    with pytest.raises(ConfigError, match=r"\[database\] url: not an address") as caught:
        from_url(f"postgresql://ann:{SECRET}@[broken/swf")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_time_limits_reach_both_sides() -> None:
    options = settings(statement_timeout_s=2.5, lock_timeout_s=0, idle_in_transaction_s=7, dead_after_s=30)["OPTIONS"]
    for expected in (
        "statement_timeout=2500",
        "lock_timeout=0",
        "idle_in_transaction_session_timeout=7000",
        "tcp_keepalives_idle=10",
    ):
        assert f"-c {expected}" in options["options"]
    assert (options["keepalives_idle"], options["tcp_user_timeout"]) == (10, 30_000)
    own = from_url("postgresql://ann@localhost/swf?options=-csearch_path%3Dmine")["OPTIONS"]["options"]
    assert own.endswith(" -csearch_path=mine")
    assert "statement_timeout" in own


def test_threads_share_a_pool_where_there_are_many() -> None:
    assert "pool" not in settings()["OPTIONS"]
    section = DatabaseSection(name="swf", user="ann", pool_size=3)
    made = postgresql(section, pooled=True, probe=False)
    assert made["OPTIONS"]["pool"]["max_size"] == 3
    assert made["CONN_HEALTH_CHECKS"] is True


def test_every_variable_sets_a_key_that_there_is() -> None:
    for dotted in ENVIRONMENT.values():
        section, _, key = dotted.partition(".")
        assert section == DatabaseSection.section
        assert key in DatabaseSection.model_fields


def test_secrets_are_not_shown() -> None:
    section = DatabaseSection(url=SecretStr(f"postgresql://ann:{SECRET}@db/swf"), password=SecretStr(SECRET))
    assert SECRET not in f"{section!r} {section}"
    parameters = {"dbname": "swf", "user": "ann", "host": "db", "port": 1, "password": SECRET}
    assert SECRET not in described(parameters)
    assert SECRET not in str(explained(Exception("FATAL:  nothing known"), parameters))
