"""The lock of the messages' schemas: what a version of the schema says does not change behind its name.

A released version's digest stays; a change of a message asks for the next version in `swf.core.messages.SCHEMA`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from swf.cli.reference.messages import ROUTES, as_text, schema_of
from swf.core.messages import SCHEMA

LOCK = "schemas.lock.json"


def digest() -> str:
    """sha256 over the schemas of all messages, as they are now. Descriptions do not count."""
    plain = [_without_words(schema_of(route.body)) for route in ROUTES]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def problem(folder: Path) -> str:
    """What is wrong with the lock in `folder`; empty where nothing is."""
    locked = _read(folder).get(SCHEMA)
    if locked == digest():
        return ""
    if locked is None:
        return f"{folder / LOCK} does not know {SCHEMA}: run python -m swf.cli.reference {folder} --lock"
    return (
        f"the messages are not those that were locked as {SCHEMA}: raise swf.core.messages.SCHEMA and lock it with "
        f"python -m swf.cli.reference {folder} --lock"
    )


def lock(folder: Path) -> None:
    """Record the present schemas under their version."""
    versions = _read(folder) | {SCHEMA: digest()}
    (folder / LOCK).write_text(as_text(versions), encoding="utf-8")


def _read(folder: Path) -> dict[str, str]:
    path = folder / LOCK
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _without_words(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_words(item) for key, item in value.items() if key not in {"description", "title"}}
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    return value
