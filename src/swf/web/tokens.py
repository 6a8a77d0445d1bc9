"""Tokens of programs: `swf_<id>_<secret>`. The secret is shown once; a digest of it is kept."""

from __future__ import annotations

import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from swf.store import database
from swf.web.models import ApiToken
from swf.web.roles import Role
from swf.web.site import site

_TOKEN: Final = re.compile(r"swf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z", re.ASCII)
_SEEN: Final = timedelta(minutes=10)
"""How exact the time of the last use is: a row is not written with every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose token it is, and the most that it may do."""

    user_id: int
    name: str
    most: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A token as it is given out, and what is kept of it."""

    token_id: str
    text: str
    digest: str


def new_secret() -> NewSecret:
    """A new token. It has 256 random bits, so that a plain digest cannot be turned back."""
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return NewSecret(token_id=token_id, text=f"swf_{token_id}_{secret}", digest=digest(secret))


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode()).hexdigest()


def bearer_of(header: str | None) -> str | None:
    """What an `Authorization` header shows; None where there is no header. One of another kind shows an empty text,
    which belongs to nobody."""
    if header is None:
        return None
    scheme, _, shown = header.partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else ""


def user_of_token(shown: str) -> Holder | None:
    """Whose token that is; None where it is unknown, expired, revoked, or its user may not log in any more."""
    matched = _TOKEN.match(shown)
    if matched is None:
        return None
    row = ApiToken.objects.select_related("user").filter(token_id=matched[1]).first()
    if row is None or not hmac.compare_digest(row.digest, digest(matched[2])):
        return None
    now = site().clock.now()
    if row.revoked_at is not None or row.expires_at <= now or not row.user.is_active:
        return None
    _note_use(row, now)
    return Holder(user_id=row.user.pk, name=row.user.get_username(), most=Role(row.role))


def _note_use(row: ApiToken, now: datetime) -> None:
    if row.last_used_at is not None and now - row.last_used_at < _SEEN:
        return
    # A database that cannot be written now is no reason to refuse a reader.
    with suppress(*database.FAILURES):
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
