"""Who asks, and what they may do."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema

from swf.web.access import Role, access_of

router = Router(tags=["account"])


class WhoAmI(Schema):
    """Who asks."""

    who: str
    via: Literal["page", "token"]
    grants: dict[str, Role]


@router.get("/whoami", response=WhoAmI, operation_id="whoami", summary="Who asks, and their role in each scope")
def whoami(request: HttpRequest) -> dict[str, object]:
    """The user behind a session or token, and what it may do; the scope `*` means every namespace."""
    access = access_of(request)
    return {"who": access.who, "via": access.via, "grants": dict(access.grants)}
