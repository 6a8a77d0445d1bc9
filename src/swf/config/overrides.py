"""Values from the command line and from the environment, which come as text."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swf.config.describe import Schema, is_path
from swf.config.tomlfile import is_there
from swf.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One value of the command line."""

    key: str
    """`section.key`."""
    value: object
    """Text in TOML's syntax where `is_text`, otherwise the value itself."""
    flag: str
    """The flag as a person knows it, without the value: `--stf-count`."""
    is_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where values come from, beside the workflow file."""

    overrides: tuple[Override, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    """The environment variables. One that is set to nothing counts as not set."""
    bindings: Mapping[str, str] = field(default_factory=dict)
    """Which variable sets which `section.key`."""
    user_file: Path | None = None
    service_file: Path | None = None
    """The service file of the data directory, where it has one."""
    folder: Path = Path()
    """From where relative paths in flags and variables are taken: the working folder."""


def parse_override(text: str, flag: str = "--set") -> Override:
    """Read `section.key=value`.

    Raises:
        ConfigError: there is no `=` or no key before it.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or key.startswith(".") or key.endswith("."):
        raise ConfigError(f"flag {flag} {key!r}: expected section.key=value, for example testbed.namespace=mine")
    return Override(key=key, value=value.strip(), flag=f"{flag} {key}", is_text=True)


def parse_value(text: str, schema: Schema) -> object:
    """The value of a text for a field: a TOML literal, or else the text itself.

    A field that holds text takes an unquoted text as it is, even if it looks like a number. A list of paths may also
    be written as PATH is.

    Raises:
        ValueError: the text starts like a TOML string, list or table but is none.
    """
    try:
        table = tomllib.loads(f"value = {text}")
        literal: object = table["value"] if len(table) == 1 else text
    except (ValueError, RecursionError) as error:
        if text.startswith(('"', "'", "[", "{")):
            raise ValueError(f"not a TOML value: {str(error) or 'nested too deeply'}") from None
        literal = text
    if schema.get("type") == "string" and not isinstance(literal, str):
        return text
    if schema.get("type") == "array" and is_path(schema) and isinstance(literal, str):
        return [part for part in literal.split(os.pathsep) if part]
    return literal


def user_file(flag: Path | None, env: Mapping[str, str], folder: Path) -> Path | None:
    """The user's file: the one of `--config`, else of SWF_TESTBED_CONFIG, else `testbed.toml` in `folder` or in the
    folder SWF_HOME, where it is there.

    Raises:
        ConfigError: the one that was asked for is not there.
    """
    for name, by in ((flag, "flag --config"), (env.get("SWF_TESTBED_CONFIG"), "variable SWF_TESTBED_CONFIG")):
        if name:
            path = folder / name
            if not is_there(path):
                raise ConfigError(f"{path}: there is no such file (named by {by}): check the path")
            return path
    home = env.get("SWF_HOME")
    places = (folder, *([Path(home)] if home else []))
    return next((place / "testbed.toml" for place in places if is_there(place / "testbed.toml")), None)
