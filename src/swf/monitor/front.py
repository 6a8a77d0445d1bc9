"""The two choices that are kept in a person's browser: the namespace and the colours."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from swf.core.errors import UnknownNameError
from swf.core.names import is_namespace
from swf.monitor.frame import THEME_COOKIE, THEMES
from swf.web.access import Role, access_of
from swf.web.choice import COOKIE as NAMESPACE_COOKIE

_A_YEAR_S: Final = 365 * 86400


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice of colours; anything but `light` and `dark` means those of the operating system."""
    wanted = request.POST.get("theme", "")
    return _kept(request, THEME_COOKIE, wanted if wanted in THEMES else "")


@require_POST
def namespace(request: HttpRequest) -> HttpResponse:
    """Keep the choice of a namespace; an empty one means all that may be seen."""
    wanted = request.POST.get("namespace", "")
    if wanted and not (is_namespace(wanted) and access_of(request).may(Role.VIEWER, wanted)):
        raise UnknownNameError("there is no such namespace, or none that you may see")
    return _kept(request, NAMESPACE_COOKIE, wanted)


def back(request: HttpRequest) -> str:
    """The address of this site that a form names to go back to; the first page where it names none."""
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    here = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if here else "/"


def _kept(request: HttpRequest, cookie: str, value: str) -> HttpResponse:
    response = HttpResponseRedirect(back(request))
    if value:
        secure = bool(settings.SESSION_COOKIE_SECURE)
        response.set_cookie(cookie, value, max_age=_A_YEAR_S, httponly=True, samesite="Lax", secure=secure)
    else:
        response.delete_cookie(cookie, samesite="Lax")
    return response
