"""Requests that are sent again because their answer was lost: with an `Idempotency-Key` they are done once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from swf.core.errors import QuestionError
from swf.store import bulk
from swf.web.access import access_of
from swf.web.models import KeptAnswer
from swf.web.site import site

KEPT: Final = timedelta(days=7)
"""How long an answer is kept for a repeat."""

_KEY: Final = re.compile(r"[!-~]{1,100}\Z")


def once(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Act, and keep the answer under the request's key; a repeat with that key is given the kept answer, and nothing is
    done again. Without a key every request is acted on.

    Raises:
        QuestionError: the key was used for another request, or is none.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return act()
    if not _KEY.match(key):
        raise QuestionError("Idempotency-Key", "expected 1 to 100 visible characters of ASCII")
    who, now = access_of(request).who, site().clock.now()
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    with transaction.atomic():
        KeptAnswer.objects.filter(at__lt=now - KEPT).delete()
        # Of two requests at one time, the second one waits here for the outcome of the first.
        row = {"who": who, "key": key, "digest": digest, "status": 0, "body": "", "at": now}
        if not bulk.insert(KeptAnswer, [row], or_ignore=True):
            return _kept(KeptAnswer.objects.get(who=who, key=key), digest)
        answer = act()
        KeptAnswer.objects.filter(who=who, key=key).update(status=answer.status_code, body=answer.content.decode())
    return answer


def _kept(row: KeptAnswer, digest: str) -> HttpResponse:
    if row.digest != digest:
        raise QuestionError("Idempotency-Key", "it was used for another request: each new one needs a new key")
    headers = {"Idempotency-Replayed": "true", "Cache-Control": "private, no-store"}
    return HttpResponse(row.body, status=row.status, content_type="application/json", headers=headers)
