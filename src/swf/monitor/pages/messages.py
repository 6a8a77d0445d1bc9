"""The messages that have come since, for a page that shows them as they come."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from swf.core.errors import QuestionError
from swf.monitor.pages.lists import MESSAGES_PAGE
from swf.service.queries.events import MESSAGES
from swf.web.columns import rows_of
from swf.web.lists import asked_of, question_of
from swf.web.looking import looking

_AT_ONCE: Final = 100


@require_safe
def newer(request: HttpRequest) -> HttpResponse:
    """The rows of the next messages behind number `after`, the newest first; the page asks until there are none, and so
    leaves none out."""
    asked = asked_of(request)
    after = asked.pop("after", "")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise QuestionError("after", f"expected the number of a message, got {after[:40]!r}")
    behind = replace(MESSAGES, rows=lambda: MESSAGES.rows().filter(seq__gt=int(after)))
    question = replace(question_of(asked), sort="seq", cursor=None, limit=_AT_ONCE)
    found = behind.page(question, looking(request)).items
    rows = rows_of(MESSAGES_PAGE.columns, list(reversed(found)))
    last = found[-1].seq if found else after
    return render(request, "swf/message_rows.html", {"rows": rows, "last": last, "full": len(found) == _AT_ONCE})
