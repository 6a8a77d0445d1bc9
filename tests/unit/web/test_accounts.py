"""What is done to accounts, and the audit of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import override_settings

from accounts import PASSWORD, TESTER, user_with
from swf.core.errors import ConfigError, UnknownNameError
from swf.core.times import ManualClock
from swf.web import accounts
from swf.web.audit import record
from swf.web.audit_list import list_audit
from swf.web.models import ApiToken, AuditEntry, Grant, LoginLink
from swf.web.roles import Role
from swf.web.site import site

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(autouse=True)
def clock() -> Iterator[ManualClock]:
    """The clock of the site."""
    made = ManualClock()
    with override_settings(SWF_SITE=replace(site(), clock=made)):
        yield made


@pytest.mark.parametrize("password", ["", "short", "password123", "1234567890123", "annabelle-"])
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(ConfigError, match="the password cannot be used"):
        accounts.create_user(TESTER, "annabelle", password)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "<b>", "x" * 151, "a\x00b"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="user name"):
        accounts.create_user(TESTER, name, PASSWORD)


def test_a_name_is_given_once() -> None:
    accounts.create_user(TESTER, "ann", PASSWORD)
    with pytest.raises(ConfigError, match="there is a user 'ann' already"):
        accounts.create_admin(TESTER, "ann", PASSWORD)
    assert not Grant.objects.exists()


def test_what_is_kept_of_a_password_is_not_the_password() -> None:
    user = accounts.create_user(TESTER, "ann", PASSWORD)
    assert user.password.startswith("scrypt$")
    assert PASSWORD not in str([list(model.objects.values()) for model in (User, AuditEntry)])


def test_a_role_replaces_the_one_before_in_its_scope() -> None:
    user = user_with("ann", {"alpha": Role.VIEWER})
    accounts.grant(TESTER, user, Role.ADMIN, "alpha")
    assert [(row.scope, row.role) for row in Grant.objects.all()] == [("alpha", "admin")]
    with pytest.raises(ConfigError, match="expected a namespace"):
        accounts.grant(TESTER, user, Role.VIEWER, "no namespace")


@pytest.mark.parametrize(("label", "days"), [("", 1), ("x" * 101, 1), ("a\nb", 1), ("x", 0), ("x", 4000)])
def test_a_token_needs_a_label_and_an_end(label: str, days: int) -> None:
    user = user_with("ann", {})
    with pytest.raises(ConfigError):
        accounts.create_token(TESTER, user, label, role=Role.VIEWER, life=timedelta(days=days))
    assert not ApiToken.objects.exists()


class TestLinks:
    def test_a_link_logs_in_once(self) -> None:
        secret = accounts.make_login_link(TESTER, "ann")
        user = accounts.use_login_link(secret, "127.0.0.1")
        assert user is not None
        assert (user.username, user.has_usable_password()) == ("ann", False)
        assert accounts.use_login_link(secret, "127.0.0.1") is None
        assert secret not in str(list(LoginLink.objects.values()))

    def test_a_link_does_not_last(self, clock: ManualClock) -> None:
        secret = accounts.make_login_link(TESTER, "ann")
        clock.advance(accounts.LINK_LIFE.total_seconds())
        assert accounts.use_login_link(secret, "127.0.0.1") is None

    def test_a_guess_is_no_link(self) -> None:
        accounts.make_login_link(TESTER, "ann")
        for guess in ("", "x", "x" * 43, LoginLink.objects.get().digest):
            assert accounts.use_login_link(guess, "127.0.0.1") is None

    def test_who_is_shut_out_stays_out(self) -> None:
        secret = accounts.make_login_link(TESTER, "ann")
        accounts.set_active(TESTER, User.objects.get(), active=False)
        assert accounts.use_login_link(secret, "127.0.0.1") is None

    def test_a_second_link_makes_no_second_user(self) -> None:
        accounts.make_login_link(TESTER, "ann")
        accounts.make_login_link(TESTER, "ann")
        assert (User.objects.count(), Grant.objects.count()) == (1, 1)


class TestAudit:
    def test_a_row_comes_and_goes_with_what_it_tells_of(self) -> None:
        class UndoneError(Exception):
            pass

        def make_and_fail() -> None:
            with transaction.atomic():
                accounts.create_user(TESTER, "ann", PASSWORD)
                raise UndoneError

        with pytest.raises(UndoneError):
            make_and_fail()
        assert not AuditEntry.objects.exists()

    def test_it_is_written_within_a_transaction_only(self) -> None:
        with pytest.raises(AssertionError):
            record(TESTER, "run.stop", "1")

    def test_it_is_seen_by_namespace(self) -> None:
        with transaction.atomic():
            for namespace in ("alpha", "beta", ""):
                record(TESTER, "run.stop", f"of {namespace}", namespace=namespace, reason="why")
        assert [line.subject for line in list_audit(None)] == ["of ", "of beta", "of alpha"]
        assert [line.subject for line in list_audit(frozenset({"alpha"}))] == ["of alpha"]
        assert list_audit(frozenset()) == ()

    def test_it_is_paged(self) -> None:
        with transaction.atomic():
            for number in range(5):
                record(TESTER, "run.stop", str(number))
        first = list_audit(None, limit=2)
        second = list_audit(None, limit=2, before=first[-1].id)
        assert [line.subject for line in first + second] == ["4", "3", "2", "1"]


def test_who_is_unknown_is_said() -> None:
    with pytest.raises(UnknownNameError, match="there is no user 'bob'"):
        accounts.find_user("bob")
    with pytest.raises(UnknownNameError, match="there is no token 'x'"):
        accounts.revoke_token(TESTER, "x")
