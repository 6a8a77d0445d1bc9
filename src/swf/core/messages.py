"""Messages: an envelope that every message has, and a body that each type defines.

On the wire both are one flat JSON object. `run_id` is a string there and an integer here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from swf.core.errors import UnknownTypeError
from swf.core.times import EARLIEST, parse_rfc3339, rfc3339

SCHEMA = "swf/1"
"""The schema that this program writes."""

MAX_RUN = 2**31 - 1


def _run_from_wire(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("expected a run number as a string of digits")
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= MAX_RUN):
        raise ValueError(f"expected a run number from 1 to {MAX_RUN}, as a string of digits")
    return int(text)


RunId = Annotated[int, BeforeValidator(_run_from_wire), PlainSerializer(str, return_type=str, when_used="json")]
"""A run number: a string on the wire, an integer in rows."""


def _instant_from_wire(value: object) -> object:
    instant = parse_rfc3339(value) if isinstance(value, str) else value
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        raise ValueError("expected an RFC 3339 instant with an offset")
    if not EARLIEST <= instant < _LATEST:
        raise ValueError(f"expected an instant from {EARLIEST.year} on and before {_LATEST.year}")
    return instant


_LATEST = EARLIEST.replace(year=2100)

Instant = Annotated[datetime, BeforeValidator(_instant_from_wire)]
"""An instant within a body: RFC 3339 on the wire."""


class Body(BaseModel):
    """What one type of message says, beside its envelope. Unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    msg_type: ClassVar[str]

    run_id: RunId
    execution_id: Annotated[str, Field(max_length=100)] | None = None


B = TypeVar("B", bound=Body)
B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sent a message, when, and as which of its sender's messages."""

    message_id: UUID
    namespace: str
    sender: str
    sender_seq: int
    created_at: datetime
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Generic[B_co]):
    """One message: envelope and body."""

    envelope: Envelope
    body: B_co


class Vocabulary:
    """The message types that a program knows.

    Raises:
        ValueError: two bodies claim one `msg_type`.
    """

    def __init__(self, bodies: Iterable[type[Body]]) -> None:
        self._bodies: dict[str, type[Body]] = {}
        for body in bodies:
            if self._bodies.setdefault(body.msg_type, body) is not body:
                raise ValueError(f"two message bodies claim the type {body.msg_type!r}")

    def body(self, msg_type: str) -> type[Body]:
        """The body class of a type.

        Raises:
            UnknownTypeError: nobody here knows that type.
        """
        try:
            return self._bodies[msg_type]
        except KeyError:
            known = ", ".join(sorted(self._bodies))
            raise UnknownTypeError(f"unknown msg_type {msg_type[:80]!r}; known: {known}") from None

    def __iter__(self) -> Iterator[type[Body]]:
        return iter(self._bodies.values())


def wire_fields(envelope: Envelope, body: Body) -> dict[str, Any]:
    """The flat object that goes on the wire."""
    return {
        "msg_type": body.msg_type,
        "namespace": envelope.namespace,
        "sender": envelope.sender,
        "created_at": rfc3339(envelope.created_at),
        "message_id": str(envelope.message_id),
        "schema": envelope.schema,
        "sender_seq": envelope.sender_seq,
        **body.model_dump(mode="json"),
    }
