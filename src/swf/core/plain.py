"""Values as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from swf.core.times import rfc3339


class Shown:
    """A dataclass that is shown to people and programs: mixed into it, `as_json` gives it as plain values."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """It as plain values: instants as RFC 3339 in UTC."""
        made = plain(self)
        assert isinstance(made, dict)
        return made


def plain(value: object) -> Any:
    """A value as JSON has it; a dataclass becomes an object."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value
