"""The audit as it is shown: the newest entries first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from swf.core.times import rfc3339
from swf.web.models import AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what to what, when, from where, and why. `id` is the cursor."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    namespace: str
    via: str
    address: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str

    def as_json(self) -> dict[str, Any]:
        """The entry as plain values."""
        return {**asdict(self), "at": rfc3339(self.at)}


def list_audit(
    namespaces: frozenset[str] | None, *, before: int | None = None, who: str = "", limit: int = 50
) -> tuple[AuditLine, ...]:
    """Entries, the newest first.

    Args:
        namespaces: those whose entries may be seen; None: all, and those of no namespace too.
        before: the id of the last entry of the page before.
        who: only what this user did; empty: anybody.
        limit: so many at most.
    """
    rows = AuditEntry.objects.order_by("-id")
    if namespaces is not None:
        rows = rows.filter(namespace__in=namespaces - {""})
    if before is not None:
        rows = rows.filter(id__lt=before)
    if who:
        rows = rows.filter(who=who)
    names = AuditLine.__dataclass_fields__
    return tuple(AuditLine(**{name: getattr(row, name) for name in names}) for row in rows[:limit])
