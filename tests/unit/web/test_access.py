"""Who may do what: roles by scope, sessions, tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory, override_settings

from accounts import TESTER, token_of, user_with
from swf.core.errors import ForbiddenError
from swf.core.times import ManualClock
from swf.web import accounts
from swf.web.access import EVERYWHERE, NOBODY, Access, access_of
from swf.web.models import ApiToken
from swf.web.roles import Role
from swf.web.site import site


class TestRoles:
    @pytest.mark.parametrize(("has", "wants"), list(product(Role, Role)))
    def test_a_role_may_do_what_those_before_it_may(self, has: Role, wants: Role) -> None:
        order = ["viewer", "operator", "admin"]
        assert has.covers(wants) == (order.index(has) >= order.index(wants))

    def test_nobody_may_nothing(self) -> None:
        assert not NOBODY.known
        assert NOBODY.namespaces() == frozenset()
        assert not any(NOBODY.may(role, scope) for role in Role for scope in ("alpha", EVERYWHERE))

    def test_a_grant_holds_in_its_scope_only(self) -> None:
        access = Access(who="ann", grants={"alpha": Role.OPERATOR, "beta": Role.VIEWER})
        assert access.namespaces() == {"alpha", "beta"}
        assert access.may(Role.OPERATOR, "alpha")
        assert not access.may(Role.OPERATOR, "beta")
        assert not access.may(Role.VIEWER, "gamma")
        assert not access.may(Role.VIEWER, EVERYWHERE)
        with pytest.raises(ForbiddenError, match="ann has not the role operator in namespace beta"):
            access.require(Role.OPERATOR, "beta")

    def test_of_two_grants_the_higher_one_holds(self) -> None:
        access = Access(who="ann", grants={EVERYWHERE: Role.VIEWER, "alpha": Role.ADMIN})
        assert access.namespaces() is None
        assert access.role_in("alpha") is Role.ADMIN
        assert access.role_in("beta") is Role.VIEWER


@pytest.fixture
def clock() -> Iterator[ManualClock]:
    """The clock by which tokens expire."""
    made = ManualClock()
    with override_settings(SWF_SITE=replace(site(), clock=made)):
        yield made


@pytest.mark.usefixtures("store")
class TestTokens:
    def shown(self, header: str | None, user: User | None = None) -> Access:
        request = RequestFactory().get("/", headers={"Authorization": header} if header is not None else {})
        request.user = user or AnonymousUser()
        return access_of(request)

    def test_a_token_is_its_user(self, clock: ManualClock) -> None:
        text = token_of(user_with("ann", {"alpha": Role.OPERATOR}))
        access = self.shown(f"Bearer {text}")
        assert (access.who, access.via, access.grants) == ("ann", "token", {"alpha": Role.OPERATOR})
        assert ApiToken.objects.get().last_used_at == clock.now()

    def test_a_token_may_be_less_than_its_user_and_never_more(self, clock: ManualClock) -> None:
        user = user_with("ann", {"alpha": Role.ADMIN, "beta": Role.VIEWER})
        assert self.shown(f"Bearer {token_of(user, Role.OPERATOR)}").grants == {
            "alpha": Role.OPERATOR,
            "beta": Role.VIEWER,
        }

    def test_it_ends_when_it_expires_or_is_revoked(self, clock: ManualClock) -> None:
        user = user_with("ann", {})
        first, second = token_of(user), token_of(user)
        accounts.revoke_token(TESTER, first[4:16])
        assert self.shown(f"Bearer {first}") is NOBODY
        assert self.shown(f"Bearer {second}").who == "ann"
        clock.advance(timedelta(days=1).total_seconds())
        assert self.shown(f"Bearer {second}") is NOBODY

    def test_what_is_no_token_is_nobody_and_the_session_does_not_count_then(self, clock: ManualClock) -> None:
        user = user_with("ann", {})
        text = token_of(user)
        wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
        for header in ("", "Bearer", "Bearer ", "Basic YW5uOng=", f"Bearer {wrong}", f"Bearer {text}\x00", text):
            assert self.shown(header, user) is NOBODY, header
        assert self.shown(None, user).who == "ann"
