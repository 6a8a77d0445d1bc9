"""The administrators' page: users, their roles, their tokens, and who has done what.

Who is administrator of one namespace sees and changes what belongs to it; users and tokens are for administrators of
all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from swf.core.errors import ConfigError, SwfError, UnknownNameError
from swf.web.access import EVERYWHERE, Access, Role, access_of
from swf.web.accounts import create_user, find_user, grant, revoke_token, set_active, set_password
from swf.web.accounts_list import UserLine, list_tokens, list_users
from swf.web.audit import actor_of
from swf.web.audit_list import list_audit
from swf.web.posted import role_in, text_in
from swf.web.problems import problem_of

AUDIT_LINES: Final = 50


@never_cache
@require_safe
def admin(request: HttpRequest) -> HttpResponse:
    """Users, grants, tokens and the audit, as far as this administrator's roles reach."""
    return _page(request)


@never_cache
@sensitive_post_parameters("password")
@require_POST
def make_user(request: HttpRequest) -> HttpResponse:
    """Make a user, who may do nothing yet."""
    _administrator(request).require(Role.ADMIN, EVERYWHERE)
    try:
        create_user(actor_of(request), text_in(request, "user", 150), request.POST.get("password", "")[:1000])
    except ConfigError as error:
        return _refused(request, error)
    return HttpResponseRedirect("/admin")


@never_cache
@sensitive_post_parameters("password")
@require_POST
def change_user(request: HttpRequest) -> HttpResponse:
    """Let a user in or no more, or give them another password."""
    _administrator(request).require(Role.ADMIN, EVERYWHERE)
    user = find_user(text_in(request, "user", 150))
    try:
        match request.POST.get("do", ""):
            case "stop" if user == request.user:
                raise ConfigError("nobody can shut themselves out: another administrator can")
            case "stop":
                set_active(actor_of(request), user, active=False)
            case "start":
                set_active(actor_of(request), user, active=True)
            case "password":
                set_password(actor_of(request), user, request.POST.get("password", "")[:1000])
            case other:
                raise ConfigError(f"do: expected stop, start or password, got {other[:20]!r}")
    except ConfigError as error:
        return _refused(request, error)
    return HttpResponseRedirect("/admin")


@require_POST
def change_grant(request: HttpRequest) -> HttpResponse:
    """Give a user a role in a scope, or take it away."""
    access = _administrator(request)
    try:
        scope = text_in(request, "scope", 64)
        access.require(Role.ADMIN, scope)
        user = find_user(text_in(request, "user", 150))
        role = None if request.POST.get("role") == "none" else role_in(request, "role")
        if user == request.user and access.grants.get(scope) is Role.ADMIN and role is not Role.ADMIN:
            raise ConfigError("nobody can take this role from themselves: another administrator can")
        grant(actor_of(request), user, role, scope)
    except (ConfigError, UnknownNameError) as error:
        return _refused(request, error)
    return HttpResponseRedirect("/admin")


@require_POST
def end_token(request: HttpRequest) -> HttpResponse:
    """Revoke anybody's token."""
    _administrator(request).require(Role.ADMIN, EVERYWHERE)
    revoke_token(actor_of(request), text_in(request, "token", 40))
    return HttpResponseRedirect("/admin")


def _administrator(request: HttpRequest) -> Access:
    """Who asks, if they are an administrator of some scope; to others there is no such page.

    Raises:
        UnknownNameError: they are not.
    """
    access = access_of(request)
    if not access.administers():
        raise UnknownNameError("there is nothing here, or nothing that you may see")
    return access


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    access = _administrator(request)
    everywhere = access.may(Role.ADMIN, EVERYWHERE)
    scopes = frozenset(scope for scope, role in access.grants.items() if role is Role.ADMIN)
    text = request.GET.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    entries = list_audit(None if everywhere else scopes, before=before, limit=AUDIT_LINES + 1)
    context = {
        "here": "/admin",
        "everywhere": everywhere,
        "scopes": sorted(scopes),
        "users": list_users() if everywhere else _within(scopes),
        "tokens": list_tokens() if everywhere else (),
        "roles": list(Role),
        "entries": entries[:AUDIT_LINES],
        "next": entries[AUDIT_LINES - 1].id if len(entries) > AUDIT_LINES else None,
        **more,
    }
    return render(request, "swf/admin.html", context, status=status)


def _within(scopes: frozenset[str]) -> list[UserLine]:
    """The users that have a role in these scopes, with no other role of theirs."""
    found = []
    for user in list_users():
        grants = {scope: role for scope, role in user.grants.items() if scope in scopes}
        if grants:
            found.append(replace(user, grants=grants))
    return found


def _refused(request: HttpRequest, error: SwfError) -> HttpResponse:
    what = problem_of(error)
    return _page(request, status=what.status, notices=[{"kind": "bad", "text": what.detail}])
