"""The audit: each write leaves a row, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest

from swf.web.access import access_of
from swf.web.models import AuditEntry
from swf.web.site import site


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, and how they came."""

    who: str
    via: str
    """`page`, `token`, `link` or `command`."""
    address: str = ""


def actor_of(request: HttpRequest) -> Actor:
    """Who sent a request."""
    access = access_of(request)
    return Actor(who=access.who, via=access.via, address=address_of(request))


def address_of(request: HttpRequest) -> str:
    """Where a request came from."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def record(
    actor: Actor,
    action: str,
    subject: str,
    *,
    namespace: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write down what is done, within the transaction that does it.

    Args:
        actor: who does it.
        action: a noun and a verb: `run.stop`.
        subject: the name of what it is done to.
        namespace: where that belongs; empty where it belongs to none.
        before, after: what is changed, as plain values; secrets have no place in it.
        reason: why, in the actor's words.
    """
    assert connection.in_atomic_block, "an audit row belongs into the transaction of what it tells of"
    AuditEntry.objects.create(
        at=site().clock.now(),
        who=actor.who[:150],
        action=action,
        subject=subject[:250],
        namespace=namespace,
        via=actor.via,
        address=actor.address,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        reason=reason,
    )
