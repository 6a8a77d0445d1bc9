"""A person's own page and the administrators' page: what they show, to whom, and what they leave in the audit."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts import PASSWORD, logged_in, token_of, user_with
from swf.web.models import ApiToken, AuditEntry, Grant
from swf.web.roles import Role

ADMIN = {"*": Role.ADMIN}
NEW_PASSWORD = "staple battery horse"

pytestmark = pytest.mark.usefixtures("store")


def actions() -> list[tuple[str, str, str]]:
    """The audit: who, what, on what; without what preparing the test has left."""
    rows = AuditEntry.objects.exclude(who="tester").order_by("id")
    return list(rows.values_list("who", "action", "subject"))


class TestAccount:
    def test_a_token_is_shown_once_and_works(self) -> None:
        client = logged_in("ann")
        page = client.post("/account/token", {"label": "for a script", "role": "viewer", "days": "7"})
        (text,) = re.findall(r"swf_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", page.text)
        assert text not in client.get("/account").text
        answer = Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {text}"})
        assert answer.json() == {"who": "ann", "via": "token", "grants": {"*": "viewer"}}
        assert text.rpartition("_")[2] not in str(list(ApiToken.objects.values()))
        assert ("ann", "token.create", ApiToken.objects.get().token_id) in actions()

    def test_a_token_can_be_revoked_by_its_owner_only(self) -> None:
        other = token_of(user_with("bob", {}))
        client = logged_in("ann")
        theirs = ApiToken.objects.get()
        assert client.post("/account/token/revoke", {"token": theirs.token_id}).status_code == 404
        assert Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {other}"}).status_code == 200

    @pytest.mark.parametrize(
        ("form", "said"),
        [
            ({"label": "", "role": "viewer", "days": "7"}, "label: expected a text"),
            ({"label": "x", "role": "god", "days": "7"}, "role: expected one of viewer, operator, admin"),
            ({"label": "x", "role": "viewer", "days": "0"}, "days: expected a whole number from 1 to 3660"),
            ({"label": "x\x00y", "role": "viewer", "days": "7"}, "label: expected up to 100 printable"),
        ],
    )
    def test_wrong_values_are_said(self, form: dict[str, str], said: str) -> None:
        answer = logged_in("ann").post("/account/token", form)
        assert answer.status_code == 422
        assert said in answer.text
        assert not ApiToken.objects.exists()

    def test_a_new_password_ends_other_sessions(self) -> None:
        client, other = logged_in("ann"), Client()
        other.login(username="ann", password=PASSWORD)
        new = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
        assert client.post("/account/password", new).status_code == 200
        assert client.get("/account").status_code == 200
        assert other.get("/account").status_code == 302
        assert ("ann", "user.password", "ann") in actions()

    def test_the_old_password_is_asked_for_and_not_for_ever(self) -> None:
        client = logged_in("ann")
        new = {"old": "wrong", "new": NEW_PASSWORD, "again": NEW_PASSWORD}
        answers = [client.post("/account/password", new).text for _ in range(6)]
        assert "the old password is wrong" in answers[0]
        assert "try again later" in answers[5]
        assert User.objects.get(username="ann").check_password(PASSWORD)


class TestAdmin:
    def test_others_do_not_find_it(self) -> None:
        client = logged_in("ann", {"*": Role.OPERATOR})
        assert client.get("/admin").status_code == 404
        for path in ("user", "user/change", "grant", "token/revoke"):
            assert client.post(f"/admin/{path}", {"user": "ann", "role": "admin", "scope": "*"}).status_code == 404
        assert Grant.objects.get().role == "operator"

    def test_it_makes_users_and_grants_roles(self) -> None:
        client = logged_in("ann", ADMIN)
        client.post("/admin/user", {"user": "bob", "password": PASSWORD})
        client.post("/admin/grant", {"user": "bob", "role": "operator", "scope": "alpha"})
        page = client.get("/admin").text
        assert "operator in alpha" in page
        client.post("/admin/grant", {"user": "bob", "role": "none", "scope": "alpha"})
        assert not Grant.objects.filter(user__username="bob").exists()
        grants = AuditEntry.objects.filter(action="grant.change", who="ann").order_by("id")
        assert [(row.before, row.after) for row in grants] == [
            (None, {"role": "operator", "scope": "alpha"}),
            ({"role": "operator", "scope": "alpha"}, None),
        ]

    def test_who_is_shut_out_is_so_at_once(self) -> None:
        bob, client = logged_in("bob"), logged_in("ann", ADMIN)
        token = token_of(User.objects.get(username="bob"))
        client.post("/admin/user/change", {"user": "bob", "do": "stop"})
        assert bob.get("/").status_code == 302
        assert Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    def test_nobody_shuts_themselves_out(self) -> None:
        client = logged_in("ann", ADMIN)
        assert client.post("/admin/user/change", {"user": "ann", "do": "stop"}).status_code == 422
        assert client.post("/admin/grant", {"user": "ann", "role": "viewer", "scope": "*"}).status_code == 422
        assert client.get("/admin").status_code == 200

    def test_a_weak_password_is_refused(self) -> None:
        answer = logged_in("ann", ADMIN).post("/admin/user", {"user": "bob", "password": "password12"})
        assert answer.status_code == 422
        assert not User.objects.filter(username="bob").exists()

    def test_an_administrator_of_one_namespace_stays_in_it(self) -> None:
        user_with("bob", {"alpha": Role.VIEWER, "beta": Role.OPERATOR})
        user_with("mallory", {"beta": Role.VIEWER})
        client = logged_in("ann", {"alpha": Role.ADMIN})
        page = client.get("/admin").text
        assert "viewer in alpha" in page
        assert "beta" not in page
        assert "mallory" not in page
        assert client.post("/admin/grant", {"user": "bob", "role": "admin", "scope": "beta"}).status_code == 403
        assert client.post("/admin/grant", {"user": "bob", "role": "admin", "scope": "*"}).status_code == 403
        assert client.post("/admin/user", {"user": "x", "password": PASSWORD}).status_code == 403
        assert client.post("/admin/grant", {"user": "bob", "role": "operator", "scope": "alpha"}).status_code == 302

    def test_texts_are_shown_as_texts(self) -> None:
        token_of(user_with("bob", {}))
        ApiToken.objects.update(label="<script>alert(1)</script>")
        page = logged_in("ann", ADMIN).get("/admin").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
