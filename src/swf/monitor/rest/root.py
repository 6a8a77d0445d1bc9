"""The root of the REST interface: who may ask, how errors are said, and which routers there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.utils import check_csrf

import swf
from swf.core.errors import ForbiddenError, QuestionError, SwfError
from swf.monitor.rest.described import DescribedApi
from swf.service.instrument import Instrument, imported
from swf.web.access import Access, access_of
from swf.web.problems import MEDIA_TYPE, Problem, problem, problem_of

ROUTERS: Final = (
    "swf.monitor.rest.account:router",
    "swf.monitor.rest.rows:router",
    "swf.monitor.rest.numbers:router",
)
"""The routers for what belongs to no instrument; paths are below /api/v1."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def signed_in(request: HttpRequest) -> Access | None:
    """Who asks; None for nobody, which ninja answers with 401. A session that writes has to show the form's token, as a
    page of another site could send a request with its cookie.

    Raises:
        ForbiddenError: it does not show it.
    """
    access = access_of(request)
    if not access.known:
        return None
    if access.via == "page" and request.method not in _SAFE and check_csrf(request) is not None:
        raise ForbiddenError(
            "a request of a browser's session has to carry the header X-CSRFToken; programs use a token instead"
        )
    return access


def rest_api(instruments: Sequence[Instrument]) -> NinjaAPI:
    """The whole interface, with the routes of these instruments."""
    api = DescribedApi(
        title="swf-testbed monitor",
        version=swf.__version__,
        description="Runs, executions, files, slices, messages, agents, logs and alarms of a testbed. Everything needs "
        "a login: a session, or `Authorization: Bearer TOKEN`. What belongs to a namespace that one may not see is not "
        "found. Errors are `application/problem+json` (RFC 9457).",
        urls_namespace="api",
        openapi_url="/openapi.json",
        docs_url=None,
        auth=signed_in,
    )
    _say_errors(api)
    for name in (*ROUTERS, *(each.web.router for each in instruments if each.web is not None)):
        found = imported(name)
        for router in found if isinstance(found, Sequence) else (found,):
            assert isinstance(router, Router), name
            api.add_router("", router)
    return api


def answer(what: Problem, more: dict[str, Any] | None = None) -> HttpResponse:
    """A problem as REST writes it."""
    response = JsonResponse(what.as_json() | (more or {}), status=what.status, content_type=MEDIA_TYPE)
    if what.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="swf-testbed"'
    return response


def _say_errors(api: NinjaAPI) -> None:
    @api.exception_handler(SwfError)
    def on_purpose(request: HttpRequest, error: SwfError) -> HttpResponse:
        wrong = (
            [{"in": "query", "name": error.field, "problem": error.problem}] if isinstance(error, QuestionError) else []
        )
        return answer(problem_of(error), {"errors": wrong} if wrong else None)

    @api.exception_handler(AuthenticationError)
    def nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(problem(401, "log in, or send the header Authorization: Bearer TOKEN"))

    @api.exception_handler(ValidationError)
    def wrong_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return answer(
            problem(422, "some values are not what is expected"), {"errors": [_said(e) for e in error.errors]}
        )

    @api.exception_handler(Http404)
    def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
        return answer(problem(404, "there is nothing of that name, or nothing that you may see"))

    @api.exception_handler(HttpError)
    def with_status(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(problem(error.status_code, str(error)))


def _said(error: dict[str, Any]) -> dict[str, str]:
    """Which value is wrong, and how; without the value itself."""
    place = [str(part) for part in error.get("loc", ())]
    return {"in": place[0] if place else "", "name": ".".join(place[1:]), "problem": str(error.get("msg", ""))}
