"""How live events are written. Source: HTML Living Standard, section 9.2, Server-sent events."""

from __future__ import annotations

import json
import re
from typing import Final

from swf.service.queries.events import event_line
from swf.store.models import Event

MEDIA_TYPE: Final = "text/event-stream"
RETRY_MS: Final = 1000
"""How long a browser waits before it comes again."""
GREETING: Final = f"retry: {RETRY_MS}\n\n".encode()
HEARTBEAT: Final = b":\n\n"
"""A line that readers skip: it keeps the connection, and tells either side when the other one is gone."""

_BREAKS: Final = re.compile(r"[\r\n\0]")


def frame_of(row: Event) -> bytes:
    """A row of the log: its number, its type, and what REST gives for it."""
    line = event_line(row)
    data = json.dumps(line.as_json(), ensure_ascii=False, separators=(",", ":"))
    # JSON has no line breaks of its own; a type is what some sender wrote.
    return f"id: {line.seq}\nevent: {_BREAKS.sub(' ', line.type)}\ndata: {data}\n\n".encode("utf-8", "replace")


def place_at(seq: int) -> bytes:
    """Tells a reader of few of many rows how far it has come, so that it need not go through the others again."""
    return f"id: {seq}\n\n".encode()
