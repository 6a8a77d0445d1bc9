"""The root of the REST interface: who may ask, and how errors are said."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts import logged_in, token_of, user_with
from swf.web.roles import Role

pytestmark = pytest.mark.usefixtures("store")


def openapi() -> dict[str, Any]:
    document = Client().get("/api/v1/openapi.json").json()
    assert isinstance(document, dict)
    return document


def test_the_document_is_of_openapi_3_1() -> None:
    assert openapi()["openapi"].startswith("3.1")


def test_every_route_asks_who_is_there() -> None:
    client = Client()
    asked = 0
    for path, verbs in openapi()["paths"].items():
        for verb in verbs:
            address = re.sub(r"\{[^}]*\}", "1", path)
            answer = client.generic(verb.upper(), address, b"{}", content_type="application/json")
            assert answer.status_code == 401, f"{verb} {path}"
            assert answer["Content-Type"] == "application/problem+json"
            assert answer["WWW-Authenticate"].startswith("Bearer")
            asked += 1
    assert asked


def test_a_session_that_writes_shows_the_token_of_its_forms() -> None:
    client = logged_in("ann", {"*": Role.ADMIN}, csrf=True)
    asked = 0
    for path, verbs in openapi()["paths"].items():
        for verb in set(verbs) - {"get", "head"}:
            address = re.sub(r"\{[^}]*\}", "1", path)
            answer = client.generic(verb.upper(), address, b"{}", content_type="application/json")
            assert answer.status_code == 403, f"{verb} {path}"
            assert "X-CSRFToken" in answer.json()["detail"]
            asked += 1
    assert client.get("/api/v1/whoami").status_code == 200


def test_who_asks() -> None:
    text = token_of(user_with("ann", {"alpha": Role.OPERATOR}))
    answer = Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {text}"})
    assert answer.json() == {"who": "ann", "via": "token", "grants": {"alpha": "operator"}}
    assert logged_in("bob").get("/api/v1/whoami").json() == {"who": "bob", "via": "page", "grants": {"*": "viewer"}}


def test_an_address_that_leads_nowhere_is_a_problem() -> None:
    answer = logged_in("ann").get("/api/v1/nowhere")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "Not Found"


def test_a_method_that_is_not_there_is_a_problem() -> None:
    answer = logged_in("ann").delete("/api/v1/whoami")
    assert (answer.status_code, answer["Content-Type"], answer["Allow"]) == (405, "application/problem+json", "GET")
