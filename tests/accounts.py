"""Users of the monitor for tests, and clients that are logged in as one of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.test import Client

from swf.web import accounts
from swf.web.audit import Actor
from swf.web.roles import Role

PASSWORD: Final = "correct horse battery"
TESTER: Final = Actor(who="tester", via="command")


def user_with(name: str, grants: Mapping[str, Role]) -> User:
    """A user with a password and these roles, by scope."""
    user = accounts.create_user(TESTER, name, PASSWORD)
    for scope, role in grants.items():
        accounts.grant(TESTER, user, role, scope)
    return user


def logged_in(name: str, grants: Mapping[str, Role] | None = None, *, csrf: bool = False) -> Client:
    """A browser with the session of a new user; without grants given, one who may see everything."""
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user_with(name, {"*": Role.VIEWER} if grants is None else grants))
    return client


def token_of(user: User, role: Role = Role.ADMIN) -> str:
    """A token of a user's."""
    return accounts.create_token(TESTER, user, "of a test", role=role, life=timedelta(days=1))[1]
