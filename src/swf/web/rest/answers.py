"""Answers with a tag of their content, so that who has it already is told no more than that."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

_HEADERS: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


def answered(request: HttpRequest, value: Any, status: int = 200) -> HttpResponse:
    """`value` as JSON with an ETag; 304 without a body where `If-None-Match` names that (RFC 9110, section 13.1.2)."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}
    if status == 200 and request.method in {"GET", "HEAD"} and _matches(request.headers.get("If-None-Match"), tag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def _matches(wanted: str | None, tag: str) -> bool:
    if wanted is None:
        return False
    return wanted.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in wanted.split(","))
