"""Writes: who may, in one transaction with the row of the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction
from django.http import HttpRequest

from swf.web.access import Role, access_of
from swf.web.audit import actor_of, record

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is to be done: `action` is a noun and a verb, `subject` the name of what it is done to, in `namespace`."""

    action: str
    subject: str
    namespace: str
    reason: str = ""
    dry_run: bool = False
    before: Mapping[str, Any] | None = None


def who_asks(request: HttpRequest) -> str:
    """The user of a request, as rows that agents read name people."""
    return access_of(request).who[:100]


def done(request: HttpRequest, deed: Deed, do: Callable[[], T], after: Callable[[T], Mapping[str, Any]]) -> T:
    """Do it, if who asks is an operator there, and write that down; both or neither. A dry run leaves no row.

    Args:
        after: what is kept of the outcome.

    Raises:
        ForbiddenError: they may not.
    """
    access_of(request).require(Role.OPERATOR, deed.namespace)
    with transaction.atomic():
        outcome = do()
        if not deed.dry_run:
            record(
                actor_of(request),
                deed.action,
                deed.subject,
                namespace=deed.namespace,
                before=deed.before,
                after=after(outcome),
                reason=deed.reason,
            )
    return outcome
