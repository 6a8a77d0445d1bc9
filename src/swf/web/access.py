"""What who asks may see and do. Nothing is readable without a login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from django.http import HttpRequest

from swf.core.errors import ForbiddenError
from swf.web.models import Grant
from swf.web.roles import Role
from swf.web.tokens import bearer_of, user_of_token

EVERYWHERE: Final = "*"
"""The scope of a grant that holds in every namespace."""

_KEPT: Final = "swf_access"

__all__ = ["EVERYWHERE", "NOBODY", "Access", "Role", "access_of", "grants_of", "request_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who asks, and the role that they have in each scope: a namespace, or `*` for all of them."""

    who: str
    """The user's name; empty for nobody."""
    grants: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    via: str = ""
    """How they have proved who they are: `page` (a session), `token`, or `command` (they run this program on the data
    directory); empty for nobody."""

    @property
    def known(self) -> bool:
        """Whether somebody asks, and not nobody."""
        return bool(self.who)

    def role_in(self, namespace: str) -> Role | None:
        """The role in a namespace: the higher one of its own grant and the one for all."""
        found = [self.grants[scope] for scope in (namespace, EVERYWHERE) if scope in self.grants]
        return max(found, key=lambda role: role.level, default=None)

    def may(self, role: Role, namespace: str) -> bool:
        """Whether they may do what `role` may, in a namespace."""
        found = self.role_in(namespace)
        return found is not None and found.covers(role)

    def require(self, role: Role, namespace: str) -> None:
        """See to it that they may. What somebody may not even see has to be looked up with `namespaces` first, so that
        it is not found.

        Raises:
            ForbiddenError: they may not.
        """
        if not self.may(role, namespace):
            where = "in every namespace" if namespace == EVERYWHERE else f"in namespace {namespace}"
            remedy = f"start this with --role {role}" if self.via == "command" else "an administrator can grant it"
            raise ForbiddenError(f"{self.who or 'nobody'} has not the role {role} {where}; {remedy}")

    def namespaces(self) -> frozenset[str] | None:
        """The namespaces that they may see; None for all of them."""
        return None if EVERYWHERE in self.grants else frozenset(self.grants)

    def administers(self) -> bool:
        """Whether they decide for others, in some scope at least."""
        return Role.ADMIN in self.grants.values()


NOBODY: Final = Access(who="")


def access_of(request: HttpRequest) -> Access:
    """What who sent a request may do: the user of its session, or of its `Authorization: Bearer` token. Where there is
    such a header, the session does not count. Looked up once per request."""
    found = getattr(request, _KEPT, None)
    if found is None:
        found = _looked_up(request)
        setattr(request, _KEPT, found)
    assert isinstance(found, Access)
    return found


def request_of(access: Access) -> HttpRequest:
    """The request of somebody who has not come over HTTP, for what is written for requests."""
    request = HttpRequest()
    request.method = "POST"
    setattr(request, _KEPT, access)
    return request


def grants_of(user_id: int, most: Role = Role.ADMIN) -> Mapping[str, Role]:
    """The grants of a user, each no higher than `most`."""
    rows = Grant.objects.filter(user_id=user_id).values_list("scope", "role")
    return {scope: min(Role(role), most, key=lambda each: each.level) for scope, role in rows}


def _looked_up(request: HttpRequest) -> Access:
    shown = bearer_of(request.headers.get("Authorization"))
    if shown is not None:
        holder = user_of_token(shown)
        if holder is None:
            return NOBODY
        return Access(who=holder.name, grants=grants_of(holder.user_id, holder.most), via="token")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return NOBODY
    return Access(who=user.get_username(), grants=grants_of(user.pk), via="page")
