"""What a reader of live events asks for: filters as in REST, and where to begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from swf.core.errors import QuestionError
from swf.service.queries.events import EVENTS
from swf.store.events import EventFilter
from swf.web.access import Access

AFTER: Final = "after"
_FIELDS: Final[Mapping[str, str]] = {
    "namespace": "namespace",
    "run": "run_number",
    "execution": "execution_id",
    "subject": "subject",
    "sender": "sender",
    "type": "types",
    "kind": "kind",
}
"""The filters of REST that live events have, and the field of each."""
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a reader wants, within what it may see, and the number up to which it has everything; None: it wants what
    comes from now on."""

    wanted: EventFilter
    after: int | None


def asked(query: str, last_event_id: str, access: Access) -> Asked:
    """What is asked for.

    Args:
        query: the address behind its question mark.
        last_event_id: the header `Last-Event-ID` of a reader that comes again; it counts more than `after`.
        access: who asks.

    Raises:
        QuestionError: there is no such filter, it is given twice, or its value cannot be.
    """
    try:
        given = parse_qsl(query, keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as error:
        raise QuestionError("query", "it cannot be read: expected UTF-8, and 50 filters at most") from error
    fields: dict[str, object] = {}
    after = last_event_id
    for name, value in given:
        if name == AFTER:
            after = after or value
        elif name not in _FIELDS:
            known = ", ".join(sorted((*_FIELDS, AFTER)))
            raise QuestionError(name[:40], f"live events have no such filter; they have {known}")
        elif _FIELDS[name] in fields:
            raise QuestionError(name, "it is given twice: expected one value")
        else:
            fields[_FIELDS[name]] = _parsed(name, value)
    wanted = EventFilter(namespaces=access.namespaces(), **fields)  # type: ignore[arg-type]
    return Asked(wanted=wanted, after=_number(after) if after else None)


def _parsed(name: str, value: str) -> object:
    parsed = EVENTS.filters[name].parse(name, value)
    if name == "kind":
        # Of the two kinds, both together are all.
        return parsed[0] if len(parsed) == 1 else None
    return frozenset({parsed}) if name == "type" else parsed


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _LARGEST:
        return int(text)
    raise QuestionError(AFTER, f"expected the number of an event, 0 for the beginning of the log, got {text[:40]!r}")
