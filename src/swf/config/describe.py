"""Fields and values in words, for error messages and the reference."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from swf.config.section import Section

Schema = Mapping[str, Any]

LONGEST_VALUE = 80
"""Values are cut to this many characters in messages."""


def field_schema(cls: type[Section], key: str) -> Schema:
    """The JSON Schema of a field, without the null of an optional one."""
    schema: Schema = _properties(cls)[key]
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    return {**schema, **choices[0]} if len(choices) == 1 else schema


def is_optional(cls: type[Section], key: str) -> bool:
    """Whether a field may be without a value."""
    choices = _properties(cls)[key].get("anyOf", ())
    return any(choice.get("type") == "null" for choice in choices)


def is_secret(schema: Schema) -> bool:
    """Whether the value may never be shown."""
    return schema.get("format") == "password"


def is_path(schema: Schema) -> bool:
    """Whether the value, or each one of a list, is a path."""
    return schema.get("format") == "path" or schema.get("items", {}).get("format") == "path"


def expected(schema: Schema) -> str:  # noqa: PLR0911 - one line per type
    """What a field accepts, in words: `a whole number from 1 to 1000`."""
    if "expected" in schema:
        return str(schema["expected"])
    if "enum" in schema or "const" in schema:
        words = [repr(word) for word in schema.get("enum", [schema.get("const")])]
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    match schema.get("type"):
        case "boolean":
            return "true or false"
        case "integer":
            return f"a whole number{_bounds(schema)}"
        case "number":
            return f"a number{_bounds(schema)}"
        case "array":
            return f"a list, each item {expected(schema['items'])}"
        case _:
            return _text(schema)


def shown(value: object) -> str:
    """A value as TOML writes it, cut to a readable length; a secret is masked."""
    text = _toml(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def suggestion(name: str, known: Iterable[str]) -> str:
    """`did you mean X?` for a name that is close to a known one, otherwise nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""


@cache
def _properties(cls: type[Section]) -> Mapping[str, Schema]:
    schema = cls.model_json_schema()
    # The words that a key may have, where they are a type of their own, stand apart.
    defined = schema.get("$defs", {})
    properties: Mapping[str, Schema] = {
        key: {**defined.get(field.get("$ref", "").rpartition("/")[2], {}), **field}
        for key, field in schema.get("properties", {}).items()
    }
    return properties


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {_plain(low)} to {_plain(high)}"
    parts = [
        f"{word} {_plain(bound)}"
        for word, bound in (("above", above), ("at least", low), ("below", below), ("at most", high))
        if bound is not None
    ]
    return f" {' and '.join(parts)}" if parts else ""


def _plain(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else str(bound)


def _text(schema: Schema) -> str:
    text = "a path" if is_path(schema) else "text"
    if "maxLength" in schema:
        text += f" of up to {schema['maxLength']} characters"
    return f"{text} matching {schema['pattern']}" if "pattern" in schema else text


def _toml(value: object) -> str:  # noqa: PLR0911 - one line per type
    match value:
        case None:
            return "not set"
        case SecretStr():
            return "********"
        case bool():
            return "true" if value else "false"
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{name} = {_toml(item)}' for name, item in value.items())}}}"
        case _:
            return str(value)
