"""What each request passes inside Django."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from swf.core.errors import SwfError
from swf.monitor.errors import error_page, shown
from swf.store import database
from swf.web.problems import problem

API: Final = "/api/"
"""Where the REST interface is, which answers who has not logged in by itself."""

NO_DATABASE: Final = problem(503, "The database does not answer, or not in time. Try again in a moment.")

Get = Callable[[HttpRequest], HttpResponseBase]


class RouteMiddleware:
    """Tells the outer layers which route a request took: metrics and logs are by route, not by path."""

    def __init__(self, get_response: Get) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        scope = getattr(request, "scope", None)
        if scope is not None:
            scope["swf.route"] = f"/{request.resolver_match.route}" if request.resolver_match else "unknown"
            scope["swf.user"] = getattr(getattr(request, "swf_access", None), "who", "")
        return response


class ErrorMiddleware:
    """Turns an error that a page raises on purpose into a page that says it. REST does the same in its own form."""

    def __init__(self, get_response: Get) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.path.startswith(API):
            allowed = response.headers.get("Allow", "")
            return shown(request, problem(405, f"this address takes {allowed} only"), {"Allow": allowed})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What Django calls with an exception of a view."""
        if isinstance(exception, SwfError):
            return error_page(request, exception)
        if isinstance(exception, database.FAILURES):
            return shown(request, NO_DATABASE, {"Retry-After": "5"})
        return None


class SignedInMiddleware(LoginRequiredMiddleware):
    """Every page needs a login, but for those that say that they do not."""

    def process_view(self, request: Any, view_func: Any, view_args: Any, view_kwargs: Any) -> HttpResponseBase | None:
        """What Django calls before a view."""
        # Where nobody has to be known, nobody is looked up: a style sheet costs no query.
        if request.path.startswith(API) or not getattr(view_func, "login_required", True):
            return None
        try:
            return super().process_view(request, view_func, view_args, view_kwargs)
        except database.FAILURES:  # who asks cannot be looked up
            return shown(request, NO_DATABASE, {"Retry-After": "5"})
