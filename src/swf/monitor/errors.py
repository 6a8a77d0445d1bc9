"""The pages that say that something cannot be shown or done."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from swf.core.errors import SwfError
from swf.web.problems import MEDIA_TYPE, Problem, problem, problem_of

NOT_FOUND = "There is nothing here, or nothing that you may see."


def error_page(request: HttpRequest, error: SwfError) -> HttpResponse:
    """The answer to an error that was raised on purpose."""
    return shown(request, problem_of(error))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to an address that leads nowhere."""
    return shown(request, problem(404, NOT_FOUND))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to what this user may not do."""
    return shown(request, problem(403, "Your role does not allow this."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to a request that is none."""
    return shown(request, problem(400, "This request cannot be read."))


def failed(request: HttpRequest) -> HttpResponse:
    """The answer where this program is at fault. The log has the details."""
    number = str(getattr(request, "scope", {}).get("swf.request_id", ""))
    where = f" It is request {number} in the monitor's log." if number else ""
    return shown(request, problem(500, f"This is a fault of the monitor, not yours.{where}"))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form that does not come from a page of ours."""
    return shown(
        request, problem(403, "The form was too old, or did not come from this site: load the page again and repeat.")
    )


def shown(request: HttpRequest, what: Problem, headers: dict[str, str] | None = None) -> HttpResponse:
    """A problem in the form that the address has: a page, or an object for a program."""
    if request.path.startswith("/api/"):
        return JsonResponse(what.as_json(), status=what.status, content_type=MEDIA_TYPE, headers=headers)
    # Without the frame's figures: an error page must not need the database, which may be what is wrong.
    context: dict[str, Any] = {"problem": what, "theme": request.COOKIES.get("swf_theme", "")}
    return HttpResponse(render_to_string("swf/problem.html", context), status=what.status, headers=headers)
