"""What is done to accounts: users, grants, tokens, links. Each of them leaves a row in the audit."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from swf.core.errors import ConfigError, UnknownNameError
from swf.core.names import is_namespace
from swf.web.access import EVERYWHERE
from swf.web.audit import Actor, record
from swf.web.models import ApiToken, Grant, LoginLink
from swf.web.roles import Role
from swf.web.site import site
from swf.web.tokens import digest, new_secret

LINK_LIFE: Final = timedelta(minutes=30)
"""How long a login link can be used."""


def find_user(name: str) -> User:
    """A user by name.

    Raises:
        UnknownNameError: there is none.
    """
    user = User.objects.filter(username=name).first()
    if user is None:
        raise UnknownNameError(f"there is no user {name[:80]!r}")
    return user


def create_user(actor: Actor, name: str, password: str) -> User:
    """A new user, who may do nothing yet.

    Raises:
        ConfigError: the name or the password cannot be used, or somebody has the name.
    """
    user = User(username=name)
    _check_name(user)
    check_password_rules(password, user)
    user.set_password(password)
    with transaction.atomic():
        if User.objects.filter(username=name).exists():
            raise ConfigError(
                f"there is a user {name!r} already: choose another name; roles and passwords are changed with: "
                "testbed monitor grant, testbed monitor password"
            )
        user.save()
        record(actor, "user.create", name)
    return user


def create_admin(actor: Actor, name: str, password: str) -> User:
    """A new user who may do everything, in every namespace.

    Raises:
        ConfigError: as `create_user`.
    """
    with transaction.atomic():
        user = create_user(actor, name, password)
        grant(actor, user, Role.ADMIN, EVERYWHERE)
    return user


def set_password(actor: Actor, user: User, password: str) -> None:
    """Give a user another password; it ends their sessions.

    Raises:
        ConfigError: it is too easy to guess.
    """
    check_password_rules(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        record(actor, "user.password", user.username)


def set_active(actor: Actor, user: User, *, active: bool) -> None:
    """Let a user in, or no more; their sessions and tokens stop at once."""
    with transaction.atomic():
        before, user.is_active = user.is_active, active
        user.save(update_fields=["is_active"])
        record(actor, "user.active", user.username, before={"active": before}, after={"active": active})


def grant(actor: Actor, user: User, role: Role | None, scope: str) -> None:
    """Give a user a role in a scope instead of the one they have there; None takes it away.

    Raises:
        ConfigError: the scope is neither a namespace nor `*`.
    """
    if scope != EVERYWHERE and not is_namespace(scope):
        raise ConfigError(f"scope {scope[:80]!r}: expected a namespace, or * for all of them")
    with transaction.atomic():
        rows = Grant.objects.filter(user=user, scope=scope)
        before = rows.values_list("role", flat=True).first()
        if role is None:
            rows.delete()
        else:
            values = {"role": role.value, "granted_by": actor.who[:150], "granted_at": site().clock.now()}
            Grant.objects.update_or_create(user=user, scope=scope, defaults=values)
        namespace = "" if scope == EVERYWHERE else scope
        after = None if role is None else {"role": role.value, "scope": scope}
        old = None if before is None else {"role": before, "scope": scope}
        record(actor, "grant.change", user.username, namespace=namespace, before=old, after=after)


def create_token(actor: Actor, user: User, label: str, *, role: Role, life: timedelta) -> tuple[ApiToken, str]:
    """A new token and its text, which is nowhere else.

    Args:
        role: the most that it may do; it never may more than its user.
        life: how long it can be used.

    Raises:
        ConfigError: the label or the life cannot be.
    """
    label = label.strip()
    if not 1 <= len(label) <= 100 or not label.isprintable():
        raise ConfigError("the label of a token: expected 1 to 100 characters that say what it is for")
    if not timedelta(0) < life <= timedelta(days=3660):
        raise ConfigError("the life of a token: expected 1 to 3660 days")
    made, now = new_secret(), site().clock.now()
    with transaction.atomic():
        token = ApiToken.objects.create(
            token_id=made.token_id,
            digest=made.digest,
            user=user,
            label=label,
            role=role.value,
            created_at=now,
            expires_at=now + life,
        )
        what = {"label": label, "role": role.value, "user": user.username}
        record(actor, "token.create", made.token_id, after=what)
    return token, made.text


def revoke_token(actor: Actor, token_id: str, owner: User | None = None) -> ApiToken:
    """End a token.

    Args:
        owner: whose it has to be; None: anybody's.

    Raises:
        UnknownNameError: there is no such token.
    """
    with transaction.atomic():
        rows = ApiToken.objects.select_for_update().filter(token_id=token_id)
        token = (rows if owner is None else rows.filter(user=owner)).first()
        if token is None:
            raise UnknownNameError(f"there is no token {token_id[:40]!r}")
        if token.revoked_at is None:
            token.revoked_at = site().clock.now()
            token.save(update_fields=["revoked_at"])
            record(actor, "token.revoke", token_id)
    return token


def make_login_link(actor: Actor, name: str) -> str:
    """The secret of a link that logs in, once, as an administrator of that name; who is made where there is none. For
    who runs this program on the data directory, and thereby may do everything in it already."""
    secret, now = secrets.token_urlsafe(32), site().clock.now()
    with transaction.atomic():
        user, made = User.objects.get_or_create(username=name)
        if made:
            user.set_unusable_password()
            user.save()
            record(actor, "user.create", name)
        if not Grant.objects.filter(user=user, scope=EVERYWHERE, role=Role.ADMIN.value).exists():
            grant(actor, user, Role.ADMIN, EVERYWHERE)
        LoginLink.objects.create(digest=digest(secret), user=user, created_at=now, expires_at=now + LINK_LIFE)
        record(actor, "link.create", name)
    return secret


def use_login_link(secret: str, address: str) -> User | None:
    """Whom a link logs in; None where it is none, was used, or is too old."""
    now = site().clock.now()
    with transaction.atomic():
        fresh = LoginLink.objects.filter(digest=digest(secret), used_at=None, expires_at__gt=now, user__is_active=True)
        # One statement decides: of two who use it at one time, one is let in.
        if not fresh.update(used_at=now):
            return None
        user = LoginLink.objects.select_related("user").get(digest=digest(secret)).user
        record(Actor(who=user.username, via="link", address=address), "login", user.username)
    return user


def check_password_rules(password: str, user: User | None = None) -> None:
    """See to it that a password is not too easy to guess.

    Raises:
        ConfigError: it is; the message says why.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ConfigError(f"the password cannot be used: {' '.join(error.messages)}") from None


def _check_name(user: User) -> None:
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise ConfigError(f"the user name {user.username[:80]!r} cannot be used: {' '.join(error.messages)}") from None
