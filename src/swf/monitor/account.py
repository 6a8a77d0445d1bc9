"""A person's own page: their roles, their tokens, their password."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from swf.core.errors import ConfigError, SwfError
from swf.monitor.parts import parts
from swf.web.accounts import create_token, revoke_token, set_password
from swf.web.accounts_list import list_tokens
from swf.web.audit import actor_of, address_of
from swf.web.posted import number_in, role_in, text_in
from swf.web.problems import problem_of
from swf.web.roles import Role

DAYS: Final = (1, 3660)


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Who I am, what I may do, and my tokens."""
    return _page(request)


@never_cache
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once."""
    try:
        role, days = role_in(request, "role"), number_in(request, "days", *DAYS)
        life = timedelta(days=days)
        token, text = create_token(
            actor_of(request), _me(request), text_in(request, "label", 100), role=role, life=life
        )
    except ConfigError as error:
        return _refused(request, error)
    return _page(request, new_token=token, new_text=text)


@require_POST
def end_token(request: HttpRequest) -> HttpResponse:
    """Revoke a token of one's own."""
    revoke_token(actor_of(request), text_in(request, "token", 40), owner=_me(request))
    return HttpResponseRedirect("/account")


@never_cache
@sensitive_post_parameters("old", "new", "again")
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions end, this one stays. The old one may be tried as often as at login."""
    user, throttle, address = _me(request), parts().throttle, address_of(request)
    try:
        if throttle.wait_s(user.username, address):
            raise ConfigError("the old password was wrong too often: try again later")
        if (
            user.has_usable_password()
            and authenticate(username=user.username, password=_secret(request, "old")) is None
        ):
            throttle.refused(user.username, address)
            raise ConfigError("the old password is wrong")
        if _secret(request, "new") != _secret(request, "again"):
            raise ConfigError("the two new passwords are not the same")
        set_password(actor_of(request), user, _secret(request, "new"))
    except ConfigError as error:
        return _refused(request, error)
    update_session_auth_hash(request, user)
    return _page(request, notices=[{"kind": "good", "text": "The password is changed."}])


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    user = _me(request)
    context = {
        "here": "/account",
        "tokens": list_tokens(user),
        "roles": list(Role),
        "has_password": user.has_usable_password(),
        **more,
    }
    return render(request, "swf/account.html", context, status=status)


def _refused(request: HttpRequest, error: SwfError) -> HttpResponse:
    what = problem_of(error)
    return _page(request, status=what.status, notices=[{"kind": "bad", "text": what.detail}])


def _me(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)
    return user


def _secret(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "")[:1000]
