"""Between messages and their text on the wire. Parsing is strict and happens once, at the edge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from math import isfinite
from typing import Any, Final, NoReturn
from uuid import UUID

from pydantic import ValidationError

from swf.core.errors import ForeignNamespaceError, MalformedMessageError, NewerSchemaError
from swf.core.messages import SCHEMA, Body, Envelope, Message, Vocabulary, wire_fields
from swf.core.names import is_namespace
from swf.core.times import parse_rfc3339, plausible

MAX_BYTES: Final = 1_000_000
"""A message with more bytes than this is refused unread."""

MAX_DEPTH: Final = 16
"""Objects and lists nested deeper than this are refused."""

_ENVELOPE_FIELDS: Final = ("msg_type", "namespace", "sender", "created_at", "message_id", "schema", "sender_seq")
_SCHEMA = re.compile(r"swf/([1-9]\d{0,3})\Z")
_SENDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}\Z")
_MAX_SEQUENCE: Final = 2**63 - 1
_WRITER: Final = json.JSONEncoder(separators=(",", ":"))


def encode(envelope: Envelope, body: Body) -> str:
    """The text of a message."""
    return _WRITER.encode(wire_fields(envelope, body))


class Decoder:
    """Reads messages of one vocabulary and one namespace.

    A message is refused, by an error that says what was expected, when it is too large, too deep, not one JSON object,
    of unknown type or newer schema, of another namespace, has unknown, missing or wrong fields, or an instant that
    cannot be.
    """

    def __init__(self, vocabulary: Vocabulary, namespace: str) -> None:
        self._vocabulary = vocabulary
        self._namespace = namespace

    def decode(self, text: str | bytes, now: datetime) -> Message[Body]:
        """Parse one message.

        Raises:
            MessageError: the message cannot be accepted; its subclass says in which way.
        """
        fields = parse_object(text)
        # Before anything else: what others send to each other, in whatever schema, is no concern of ours.
        namespace = fields.get("namespace", self._namespace)
        if not isinstance(namespace, str) or not is_namespace(namespace):
            _refuse("namespace", "up to 64 of A-Z a-z 0-9 _ -", namespace)
        if namespace != self._namespace:
            raise ForeignNamespaceError(f"the message is for namespace {namespace!r}, this is {self._namespace!r}")
        missing = [name for name in _ENVELOPE_FIELDS if name not in fields]
        if missing:
            raise MalformedMessageError(f"the message lacks {', '.join(missing)}")
        _check_schema(fields["schema"])
        msg_type = fields["msg_type"]
        if not isinstance(msg_type, str):
            _refuse("msg_type", "a string", msg_type)
        body_class = self._vocabulary.body(msg_type)
        envelope = _envelope(fields, now)
        for name in _ENVELOPE_FIELDS:
            del fields[name]
        try:
            body = body_class.model_validate(fields)
        except ValidationError as error:
            raise MalformedMessageError(f"{msg_type}: {first_problems(error)}") from None
        return Message(envelope=envelope, body=body)


def parse_object(text: str | bytes) -> dict[str, Any]:
    """Parse the text of a message into one object, refusing what JSON lets pass: repeated keys, numbers without end,
    deep nesting, and characters that no database takes.

    Raises:
        MalformedMessageError: the text is not one such object.
    """
    text = _utf8(text)
    try:
        value = _READER.decode(text)
    except RecursionError:
        raise MalformedMessageError(f"the message is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise MalformedMessageError(f"the message is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise MalformedMessageError(f"the message is a JSON {type(value).__name__}; expected an object")
    # Only a text with that many opening brackets can be so deep.
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth_exceeds(value, MAX_DEPTH):
        raise MalformedMessageError(f"the message is nested deeper than {MAX_DEPTH} levels")
    # Only an escape can bring them in: the text itself is UTF-8, and JSON refuses bare control characters.
    if "\\u" in text and not all(map(_storable, _strings(value))):
        raise MalformedMessageError("the message contains a null character or half of a surrogate pair")
    return value


def first_problems(error: ValidationError, limit: int = 3) -> str:
    """The first problems that pydantic found, in one line that names each field."""
    problems = error.errors(include_url=False)
    lines = [
        f"{'.'.join(str(p) for p in problem['loc'])[:80] or 'message'}: {problem['msg'][:500]}"
        for problem in problems[:limit]
    ]
    more = f" (and {len(problems) - limit} more)" if len(problems) > limit else ""
    return "; ".join(lines) + more


def _envelope(fields: dict[str, Any], now: datetime) -> Envelope:
    sender, sequence = fields["sender"], fields["sender_seq"]
    if not isinstance(sender, str) or not _SENDER.match(sender):
        _refuse("sender", "an agent name of up to 100 characters", sender)
    if isinstance(sequence, bool) or not isinstance(sequence, int) or not 0 <= sequence <= _MAX_SEQUENCE:
        _refuse("sender_seq", "a whole number, not negative", sequence)
    try:
        message_id = UUID(fields["message_id"])
    except (ValueError, AttributeError, TypeError):
        _refuse("message_id", "a UUID", fields["message_id"])
    try:
        created_at = parse_rfc3339(fields["created_at"])
    except (ValueError, TypeError):
        _refuse("created_at", "an RFC 3339 instant with an offset", fields["created_at"])
    if not plausible(created_at, now):
        _refuse("created_at", f"an instant between 2015 and tomorrow ({now:%Y-%m-%d} here)", fields["created_at"])
    return Envelope(
        message_id=message_id,
        namespace=fields["namespace"],
        sender=sender,
        sender_seq=sequence,
        created_at=created_at,
        schema=fields["schema"],
    )


def _check_schema(schema: object) -> None:
    matched = _SCHEMA.match(schema) if isinstance(schema, str) else None
    if matched is None:
        _refuse("schema", f"{SCHEMA!r}", schema)
    if int(matched[1]) > int(SCHEMA.removeprefix("swf/")):
        raise NewerSchemaError(f"the message has schema {schema!r}; this program reads up to {SCHEMA!r}: upgrade it")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedMessageError("the message repeats a key in one object")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedMessageError(f"the message contains {name}, which is not JSON")


def _utf8(received: str | bytes) -> str:
    """The text of a message. JSON on the wire is UTF-8 and nothing else (RFC 8259, section 8.1)."""
    try:
        size = len(received) if isinstance(received, bytes) else len(received.encode())
        if size > MAX_BYTES:
            raise MalformedMessageError(f"the message has {size} bytes; at most {MAX_BYTES} are accepted")
        return received.decode() if isinstance(received, bytes) else received
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise MalformedMessageError(f"the message is not UTF-8: {error.reason}") from None


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise MalformedMessageError(f"the message contains {digits[:20]}, which is too large for a number")
    return number


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _depth_exceeds(value: object, limit: int) -> bool:
    if isinstance(value, dict):
        return limit == 0 or any(_depth_exceeds(item, limit - 1) for item in value.values())
    if isinstance(value, list):
        return limit == 0 or any(_depth_exceeds(item, limit - 1) for item in value)
    return False


def _refuse(field: str, expected: str, value: object) -> NoReturn:
    raise MalformedMessageError(f"{field}: expected {expected}, got {str(value)[:80]!r}")


_READER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite_float
)
