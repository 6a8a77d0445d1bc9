"""The pages that need no instrument."""

from __future__ import annotations

from pathlib import Path

from django.test import Client

from accounts import PASSWORD, logged_in, user_with
from swf.web.roles import Role


def test_nothing_is_shown_without_a_login(store: Path) -> None:
    answer = Client().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/login?next=/")
    assert Client().get("/api/v1/whoami").status_code == 401


def test_who_logs_in_sees_the_first_page(store: Path) -> None:
    user_with("ann", {"*": Role.VIEWER})
    client = Client()
    answer = client.post("/login", {"username": "ann", "password": PASSWORD, "next": "/"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    page = client.get("/")
    assert page.status_code == 200
    assert "ann" in page.text


def test_health_needs_no_login(store: Path) -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    assert Client().get("/readyz").json() == {"status": "ok", "database": "ok", "schema": "ok"}


def test_an_address_that_leads_nowhere_says_so(store: Path) -> None:
    answer = logged_in("ann").get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
