"""Style sheets, scripts and pictures of this package and of the instruments: no other host is asked for any."""

from __future__ import annotations

import mimetypes
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def static_file(request: HttpRequest, name: str) -> HttpResponse:
    """A file of the folders `static` of the installed apps."""
    content, kind, etag = _read(name)
    fresh = HttpResponse(content, content_type=kind, headers={"ETag": etag, "Cache-Control": "public, no-cache"})
    found = get_conditional_response(request, etag=etag, response=fresh)
    assert isinstance(found, HttpResponse)
    return found


@cache
def _read(name: str) -> tuple[bytes, str, str]:
    """A file with its type and its mark; they are few, and do not change while the process runs."""
    found = finders.find(name)
    if found is None or not Path(found).is_file():
        raise Http404
    content = Path(found).read_bytes()
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    return (
        content,
        f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        quote_etag(sha256(content).hexdigest()),
    )
