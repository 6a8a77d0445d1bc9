"""Messages of older agents, which have no `schema`: no identity, no number, times without a zone, fields of their own.

Only where a configuration asks for it. A message with `schema` is read as strictly as ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from swf.core.codec import Decoder, first_problems, parse_object
from swf.core.errors import ConfigError, ForeignNamespaceError, MalformedMessageError, UnknownNameError
from swf.core.ids import id_from_content
from swf.core.messages import Body, Envelope, Message, Vocabulary
from swf.core.names import is_namespace
from swf.core.times import plausible

LEGACY_SCHEMA: Final = "legacy"
"""What the envelope of such a message says in place of a schema."""

_COMPACT = re.compile(r"\d{14}\Z", re.ASCII)
_NOBODY: Final = "unnamed"
_NOT_A_SENDER = re.compile(r"[^A-Za-z0-9._@-]")
_ENVELOPE: Final = frozenset({"msg_type", "namespace", "sender", "created_at", "message_id", "sender_seq"})
_TIMES: Final = ("created_at", "timestamp", "ts")
"""Where they say when they were sent, the first that is there."""


class Unusable(Body):
    """A message of a known type that says nothing for the agents here. No agent handles it, so it is passed over."""

    msg_type = "legacy_unusable"

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Reads instants that do not say their zone."""

    zone: tzinfo

    def read(self, value: object) -> datetime:
        """An instant in UTC, from ISO 8601 with or without offset, or `YYYYMMDDhhmmss`.

        Raises:
            ValueError: it is no instant.
        """
        if not isinstance(value, str):
            raise ValueError(f"expected an instant, got {str(value)[:80]!r}")
        instant = datetime.strptime(value, "%Y%m%d%H%M%S") if _COMPACT.match(value) else datetime.fromisoformat(value)  # noqa: DTZ007
        aware = instant if instant.tzinfo else instant.replace(tzinfo=self.zone)
        try:
            return aware.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"the instant {value!r} is beyond the calendar") from None


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigError(
            f"[legacy] time_zone = {name[:80]!r}: there is no such zone; expected one such as America/New_York or UTC"
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """The fields of our body that a message gives, and the fields that have no place there."""

    fields: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)


Translation = Callable[[Mapping[str, Any], Times], "Translated | Unusable"]
"""From the fields of one type of message, without envelope and nulls, to those of our body.

Raises:
    ValueError: a field that is needed is missing or makes no sense.
    UnknownNameError: a file's name is none.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyMessage:
    """A message as it was understood. `extra` is what it says beside that."""

    message: Message[Body]
    extra: dict[str, Any]


class LegacyReader:
    """Reads messages without `schema`, for one vocabulary and one namespace.

    Identity: from the text, so that the same message twice is the same one. Number: from the time of sending, so that
    a sender's later message counts as the later one. Namespace: where it says none, ours, as older agents take it.
    """

    def __init__(
        self, vocabulary: Vocabulary, namespace: str, times: Times, translations: Mapping[str, Translation]
    ) -> None:
        self._vocabulary = vocabulary
        self._namespace = namespace
        self._times = times
        self._translations = translations

    def read(self, text: str | bytes, fields: Mapping[str, Any], now: datetime) -> LegacyMessage:
        """Understand one message; `fields` is what its text says.

        Raises:
            MessageError: it cannot be accepted; its subclass says in which way.
        """
        namespace = fields.get("namespace") or self._namespace
        if not isinstance(namespace, str) or not is_namespace(namespace):
            raise MalformedMessageError(f"namespace: {str(namespace)[:80]!r} is none")
        if namespace != self._namespace:
            raise ForeignNamespaceError(f"the message is for namespace {namespace!r}, this is {self._namespace!r}")
        msg_type = fields.get("msg_type")
        if not isinstance(msg_type, str):
            raise MalformedMessageError(f"msg_type: expected a string, got {str(msg_type)[:80]!r}")
        body_class = self._vocabulary.body(msg_type)
        try:
            sent = self._sent(fields, now)
            body, extra = self._body(body_class, fields)
        except ValidationError as error:
            raise MalformedMessageError(f"{msg_type} without schema: {first_problems(error)}") from None
        except (ValueError, UnknownNameError) as error:
            raise MalformedMessageError(f"{msg_type} without schema: {error}") from None
        envelope = Envelope(
            message_id=id_from_content(text if isinstance(text, str) else text.decode()),
            namespace=namespace,
            sender=_sender(fields),
            sender_seq=int(sent.timestamp() * 1_000_000),
            created_at=sent,
            schema=LEGACY_SCHEMA,
        )
        return LegacyMessage(message=Message(envelope=envelope, body=body), extra=extra)

    def _body(self, body_class: type[Body], fields: Mapping[str, Any]) -> tuple[Body, dict[str, Any]]:
        said = {name: value for name, value in fields.items() if value is not None and name not in _ENVELOPE}
        translated = self._translations.get(body_class.msg_type, _as_it_is)(said, self._times)
        if isinstance(translated, Unusable):
            return translated, said
        known = {name: value for name, value in translated.fields.items() if name in body_class.model_fields}
        extra = {name: value for name, value in translated.fields.items() if name not in known} | translated.extra
        return body_class.model_validate(known), {name: value for name, value in extra.items() if name not in _TIMES}

    def _sent(self, fields: Mapping[str, Any], now: datetime) -> datetime:
        for name in _TIMES:
            if fields.get(name) is not None:
                sent = self._times.read(fields[name])
                if not plausible(sent, now):
                    raise ValueError(f"{name}: expected an instant between 2015 and tomorrow, got {fields[name]!r}")
                return sent
        return now


class TolerantDecoder(Decoder):
    """A decoder that also reads messages without `schema`."""

    def __init__(self, vocabulary: Vocabulary, namespace: str, legacy: LegacyReader) -> None:
        super().__init__(vocabulary, namespace)
        self._legacy = legacy

    def decode(self, text: str | bytes, now: datetime) -> Message[Body]:
        fields = parse_object(text)
        if "schema" in fields:
            return super().decode(text, now)
        return self._legacy.read(text, fields, now).message


def _as_it_is(fields: Mapping[str, Any], times: Times) -> Translated:
    return Translated(fields=dict(fields))


def _sender(fields: Mapping[str, Any]) -> str:
    """The name of who sent it, in letters that our names have."""
    for name in ("sender", "processed_by"):
        value = fields.get(name)
        if isinstance(value, str) and value:
            return _NOT_A_SENDER.sub("_", value)[:100].lstrip("._@-") or _NOBODY
    return _NOBODY
