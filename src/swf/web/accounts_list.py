"""Users and tokens as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from swf.core.times import rfc3339
from swf.web.models import ApiToken
from swf.web.roles import Role
from swf.web.site import site


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """A user. `grants` are the roles by scope."""

    name: str
    active: bool
    grants: Mapping[str, Role]

    def as_json(self) -> dict[str, Any]:
        """The user as plain values."""
        return {"name": self.name, "active": self.active, "grants": dict(self.grants)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """A token, without its secret. `state` is `valid`, `expired` or `revoked`."""

    id: str
    user: str
    label: str
    role: Role
    state: str
    created: datetime
    expires: datetime
    last_used: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The token as plain values."""
        instants = {name: getattr(self, name) for name in ("created", "expires", "last_used")}
        return asdict(self) | {name: None if at is None else rfc3339(at) for name, at in instants.items()}


def any_user() -> bool:
    """Whether anybody can log in."""
    return User.objects.filter(is_active=True).exists()


def list_users() -> tuple[UserLine, ...]:
    """All users, by name."""
    users = User.objects.order_by("username").prefetch_related("grants")
    return tuple(
        UserLine(
            name=user.username,
            active=user.is_active,
            grants={row.scope: Role(row.role) for row in sorted(user.grants.all(), key=lambda row: row.scope)},
        )
        for user in users
    )


def list_tokens(user: User | None = None) -> tuple[TokenLine, ...]:
    """The tokens of a user, or of all; the newest first."""
    rows: QuerySet[ApiToken] = ApiToken.objects.select_related("user").order_by("-created_at", "-pk")
    now = site().clock.now()
    return tuple(_line(row, now) for row in (rows if user is None else rows.filter(user=user)))


def _line(row: ApiToken, now: datetime) -> TokenLine:
    valid = "expired" if row.expires_at <= now else "valid"
    return TokenLine(
        id=row.token_id,
        user=row.user.username,
        label=row.label,
        role=Role(row.role),
        state="revoked" if row.revoked_at else valid,
        created=row.created_at,
        expires=row.expires_at,
        last_used=row.last_used_at,
    )
