"""Logging in and out."""

from __future__ import annotations

import math
from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from swf.core.errors import ForbiddenError
from swf.core.figures import number_of
from swf.monitor.front import back
from swf.monitor.locality import is_local
from swf.monitor.parts import parts
from swf.web.accounts import use_login_link
from swf.web.audit import Actor, actor_of, address_of, record


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The form, and what is made of it."""
    context = {"next": back(request)}
    if request.method != "POST":
        return render(request, "swf/login.html", context)
    name, password = request.POST.get("username", "")[:150], request.POST.get("password", "")[:1000]
    actor, throttle = Actor(who=name, via="page", address=address_of(request)), parts().throttle
    context["name"] = name
    wait_s = math.ceil(throttle.wait_s(name, actor.address))
    if wait_s:
        text = f"There were too many wrong passwords. Try again in {number_of(math.ceil(wait_s / 60), 'minute')}."
        headers = {"Retry-After": str(wait_s)}
        return _again(request, {**context, "refused": text}, status=429, headers=headers)
    user = authenticate(request, username=name, password=password)
    if user is None:
        throttle.refused(name, actor.address)
    with transaction.atomic():
        record(actor, "login" if user else "login.refused", name)
    if user is None:
        return _again(request, {**context, "refused": "The user or the password is wrong."}, status=403)
    login(request, user)
    return HttpResponseRedirect(back(request))


@login_not_required
@never_cache
@require_safe
def log_in_once(request: HttpRequest, secret: str) -> HttpResponse:
    """Log in by a link that works once, from this machine."""
    user = use_login_link(secret, address_of(request)) if is_local(request) else None
    if user is None:
        raise ForbiddenError("this link was used already, is too old, or is none; log in with your password")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect("/")


def _again(request: HttpRequest, context: dict[str, str], **how: Any) -> HttpResponse:
    """The form again, with what is wrong."""
    headers = how.pop("headers", {})
    response = render(request, "swf/login.html", context, **how)
    for name, value in headers.items():
        response[name] = value
    return response


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    with transaction.atomic():
        record(actor_of(request), "logout", actor_of(request).who)
    logout(request)
    return HttpResponseRedirect("/login")
