"""Logging in and out, and what a browser keeps."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts import PASSWORD, TESTER, logged_in, user_with
from swf.core.times import ManualClock
from swf.monitor.throttle import TRIES, WINDOW_S
from swf.web import accounts
from swf.web.models import AuditEntry
from swf.web.roles import Role

pytestmark = pytest.mark.usefixtures("store")

HERE = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8080"}


def log_in(client: Client, name: str = "ann", password: str = PASSWORD, following: str = "/") -> int:
    return client.post("/login", {"username": name, "password": password, "next": following}).status_code


class TestPassword:
    def test_a_wrong_one_and_an_unknown_user_look_the_same(self) -> None:
        user_with("ann", {})
        wrong = Client().post("/login", {"username": "ann", "password": "wrong"})
        unknown = Client().post("/login", {"username": "ann2", "password": "wrong"})
        assert (wrong.status_code, unknown.status_code) == (403, 403)
        assert "The user or the password is wrong." in wrong.text
        assert "The user or the password is wrong." in unknown.text
        assert list(AuditEntry.objects.filter(action="login.refused").values_list("who", "address")) == [
            ("ann", "127.0.0.1"),
            ("ann2", "127.0.0.1"),
        ]

    def test_many_wrong_ones_are_not_looked_at_any_more(self, clock_of_throttle: ManualClock) -> None:
        user_with("ann", {})
        assert [log_in(Client(), password="wrong") for _ in range(TRIES + 1)] == [403] * TRIES + [429]
        assert log_in(Client()) == 429, "nor is the right one"
        clock_of_throttle.advance(WINDOW_S)
        assert log_in(Client()) == 302

    def test_who_is_shut_out_does_not_get_in(self) -> None:
        accounts.set_active(TESTER, user_with("ann", {}), active=False)
        assert log_in(Client()) == 403

    def test_a_user_without_a_password_does_not_get_in(self) -> None:
        accounts.make_login_link(TESTER, "ann")
        assert [log_in(Client(), password=guess) for guess in ("", "!", User.objects.get().password)] == [403] * 3

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///x"]
    )
    def test_a_login_never_leads_elsewhere(self, elsewhere: str) -> None:
        user_with("ann", {})
        answer = Client().post("/login", {"username": "ann", "password": PASSWORD, "next": elsewhere})
        assert answer["Location"] == "/"
        assert log_in(Client(), following="/account") == 302

    def test_a_session_is_a_new_one_after_the_login(self) -> None:
        user_with("ann", {})
        client = Client()
        client.get("/login")
        name = next(key for key in client.cookies if key.startswith("swf_csrf"))
        before = client.cookies[name].value
        log_in(client)
        assert client.cookies[name].value != before
        session = next(value for key, value in client.cookies.items() if key.startswith("swf_session"))
        assert session["httponly"]
        assert session["samesite"] == "Lax"


class TestOnce:
    def test_the_link_logs_an_administrator_in(self) -> None:
        secret = accounts.make_login_link(TESTER, "ann")
        client = Client()
        assert client.get(f"/login/once/{secret}", **HERE)["Location"] == "/"
        assert client.get("/admin").status_code == 200
        entry = AuditEntry.objects.get(action="login")
        assert (entry.who, entry.via) == ("ann", "link")
        assert Client().get(f"/login/once/{secret}", **HERE).status_code == 403

    @pytest.mark.parametrize(
        "where",
        [
            {"REMOTE_ADDR": "192.0.2.7"},
            {"HTTP_HOST": "testserver"},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"HTTP_FORWARDED": "for=127.0.0.1"},
        ],
    )
    def test_it_does_so_from_this_machine_only(self, where: dict[str, str]) -> None:
        secret = accounts.make_login_link(TESTER, "ann")
        assert Client().get(f"/login/once/{secret}", **{**HERE, **where}).status_code == 403
        assert Client().get(f"/login/once/{secret}", **HERE).status_code == 302, "and is not used up by that"


class TestForms:
    @pytest.mark.parametrize("path", ["/login", "/logout", "/theme", "/namespace", "/account/token", "/admin/user"])
    def test_a_form_of_another_site_is_refused(self, path: str) -> None:
        client = logged_in("ann", {"*": Role.ADMIN}, csrf=True)
        answer = client.post(path, {"user": "bob", "password": PASSWORD})
        assert answer.status_code == 403
        assert "did not come from this site" in answer.text
        assert User.objects.count() == 1

    @pytest.mark.parametrize("path", ["/logout", "/theme", "/namespace", "/account/token", "/admin/user"])
    def test_nothing_is_written_by_looking(self, path: str) -> None:
        assert logged_in("ann", {"*": Role.ADMIN}).get(path).status_code == 405

    def test_out_is_out(self) -> None:
        client = logged_in("ann")
        assert client.post("/logout")["Location"] == "/login"
        assert client.get("/").status_code == 302


class TestChoices:
    def test_colours(self) -> None:
        client = Client()
        client.post("/theme", {"theme": "dark", "next": "/login"})
        assert 'data-theme="dark"' in client.get("/login").text
        client.post("/theme", {"theme": '"><script>', "next": "/login"})
        assert "data-theme" not in client.get("/login").text
        client.cookies["swf_theme"] = '"><script>alert(1)</script>'
        assert "data-theme" not in client.get("/login").text

    def test_a_choice_leads_back_to_a_page(self) -> None:
        client = logged_in("ann")
        page = client.post("/account/token", {"label": "x", "role": "viewer", "days": "1"})
        addresses = set(re.findall(r'name="next" value="([^"]*)"', page.text))
        assert addresses == {"/account"}
        assert client.get("/account").status_code == 200

    def test_a_namespace_that_may_be_seen(self) -> None:
        client = logged_in("ann", {"alpha": Role.VIEWER})
        assert client.post("/namespace", {"namespace": "alpha"}).status_code == 302
        assert client.post("/namespace", {"namespace": "beta"}).status_code == 404
        assert client.post("/namespace", {"namespace": "a b"}).status_code == 404
        assert client.cookies["swf_namespace"].value == "alpha"
