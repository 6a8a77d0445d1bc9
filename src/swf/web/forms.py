"""What people write into the forms of pages, and the address to which a form leads back."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from swf.core.errors import QuestionError

MAX_REASON: Final = 1000


def reason_of(request: HttpRequest, *, needed: bool = True) -> str:
    """Why somebody does something, in their words.

    Raises:
        QuestionError: it is missing, too long, or has characters that no database takes.
    """
    text = request.POST.get("reason", "").strip()
    if needed and not text:
        raise QuestionError("reason", "say why, in a few words; it is kept with your name")
    if len(text) > MAX_REASON or "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise QuestionError("reason", f"expected up to {MAX_REASON} characters of text, got {len(text)}")
    return text


def done(request: HttpRequest, address: str) -> HttpResponse:
    """Back to the page from which a form was sent, or to `address` where it names none of this site."""
    wanted = request.POST.get("next", "")
    here = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(wanted if here else address)
