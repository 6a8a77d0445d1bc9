"""`testbed monitor`: accounts from the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from shell import Testbed

from swf.web.models import ApiToken, AuditEntry, Grant

PASSWORD = "correct horse battery"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input with a password."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\nwhat follows\n"))


@pytest.mark.usefixtures("typed")
class TestAdmin:
    def test_an_administrator_is_made(self, testbed: Testbed, data_dir: Path) -> None:
        ended = testbed("monitor", "createadmin", "ann", "--password-stdin", "--data-dir", data_dir)
        assert (ended.code, ended.out.strip()) == (0, "ann is an administrator")
        assert User.objects.get().check_password(PASSWORD)
        assert [(row.role, row.scope) for row in Grant.objects.all()] == [("admin", "*")]
        assert set(AuditEntry.objects.values_list("via", flat=True)) == {"command"}
        assert (data_dir / "monitor-secret").stat().st_mode & 0o077 == 0

    def test_a_name_is_given_once(self, testbed: Testbed, data_dir: Path) -> None:
        User.objects.create(username="ann")
        ended = testbed("monitor", "createadmin", "ann", "--password-stdin", "--json", "--data-dir", data_dir)
        assert (ended.code, ended.json["error"]["type"]) == (2, "ConfigError")
        assert "testbed monitor password" in ended.err

    def test_nothing_is_made_where_no_store_is(self, testbed: Testbed, tmp_path: Path) -> None:
        ended = testbed("monitor", "createadmin", "ann", "--password-stdin", "--data-dir", tmp_path / "none")
        assert ended.code == 4
        assert "testbed run fast_processing" in ended.err
        assert not (tmp_path / "none").exists()


def test_without_a_terminal_the_password_has_to_be_given(
    testbed: Testbed, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ended = testbed("monitor", "createadmin", "ann", "--data-dir", data_dir)
    assert (ended.code, "--password-stdin" in ended.err) == (2, True)
    ended = testbed("monitor", "createadmin", "ann", "--password-stdin", "--data-dir", data_dir)
    assert (ended.code, "has no password" in ended.err) == (2, True)
    assert not User.objects.exists()


def test_roles_are_granted_and_taken_away(testbed: Testbed, data_dir: Path) -> None:
    User.objects.create(username="ann")
    granted = testbed("monitor", "grant", "ann", "operator", "alpha", "--json", "--data-dir", data_dir)
    assert granted.json == {"user": "ann", "role": "operator", "scope": "alpha"}
    users = testbed("monitor", "users", "--json", "--data-dir", data_dir).json["users"]
    assert users == [{"name": "ann", "active": True, "grants": {"alpha": "operator"}}]
    assert testbed("monitor", "grant", "ann", "none", "alpha", "--data-dir", data_dir).code == 0
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("grant", "ann", "god"), 2, "expected one of viewer, operator, admin"),
        (("grant", "ann", "viewer", "a b"), 2, "expected a namespace, or * for all"),
        (("grant", "bob", "viewer"), 4, "there is no user 'bob'"),
        (("token", "create", "bob", "x"), 4, "there is no user 'bob'"),
        (("token", "create", "ann", "x", "--days", "0"), 2, "--days"),
        (("token", "revoke", "0123"), 4, "there is no token '0123'"),
        (("serve", "--host", "0.0.0.0", "--login-link"), 2, "needs an address of this machine only"),
        (("serve", "--host", "192.0.2.1", "--port", "0"), 2, "cannot be listened on"),
        (("serve", "--host", "nonsense.invalid", "--port", "0"), 2, "cannot be listened on"),
    ],
)
def test_wrong_input_is_said(
    testbed: Testbed, data_dir: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    User.objects.create(username="ann")
    ended = testbed("monitor", *arguments, "--data-dir", data_dir)
    assert (ended.code, said in ended.err) == (code, True), ended.err


def test_a_token_is_the_only_thing_on_standard_output(testbed: Testbed, data_dir: Path) -> None:
    User.objects.create(username="ann")
    ended = testbed("monitor", "token", "create", "ann", "of a script", "--data-dir", data_dir)
    token = ApiToken.objects.get()
    assert ended.out.strip().startswith(f"swf_{token.token_id}_")
    listed = testbed("monitor", "token", "list", "--json", "--data-dir", data_dir).json["tokens"]
    assert [(each["id"], each["state"], each["role"]) for each in listed] == [(token.token_id, "valid", "viewer")]
    assert ended.out.strip().rpartition("_")[2] not in str(listed)
    assert testbed("monitor", "token", "revoke", token.token_id, "--data-dir", data_dir).code == 0
    listed = testbed("monitor", "token", "list", "--json", "--data-dir", data_dir).json["tokens"]
    assert listed[0]["state"] == "revoked"
