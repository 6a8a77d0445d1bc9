"""Reading one TOML file: its table, and the line of each key."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from swf.core.errors import ConfigError

MAX_BYTES: Final = 1_000_000
"""A larger file is refused unread."""

_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_.\- ]+?)\s*\]\s*(?:#.*)?\Z")
_KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlFile:
    """One file as read."""

    path: Path
    """Absolute."""
    table: Mapping[str, Any]
    lines: Mapping[str, int]
    """Line, from 1, of `section.key` and of each section's header, where they could be found."""


def read_toml(path: Path, *, named_by: str = "") -> TomlFile:
    """Read one TOML file.

    Args:
        path: the file.
        named_by: who asked for it, for the message: `flag --config`.

    Raises:
        ConfigError: it is missing, no plain file, unreadable, too large, not UTF-8, or not TOML (with the line).
    """
    by = f" (named by {named_by})" if named_by else ""
    text = _read_text(path, by)
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply{by}: expected sections of plain keys") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML: {error}{by}") from None
    return TomlFile(path=path.absolute(), table=table, lines=key_lines(text))


def is_file(path: Path) -> bool:
    """Whether there is a plain file; a path that cannot be one (too long, with a NUL) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Whether there is anything of that name."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def key_lines(text: str) -> dict[str, int]:
    """The line of each header and bare key. Empty for a text with multi-line strings, which could look like keys."""
    if '"""' in text or "'''" in text:
        return {}
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = header[1].replace(" ", "")
            lines.setdefault(section, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{section}.{key[1]}" if section else key[1], number)
    return lines


def _read_text(path: Path, by: str) -> str:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ConfigError(f"{path}: is a folder{by}: expected a TOML file")
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path}: is not a plain file{by}: expected a TOML file")
        if status.st_size > MAX_BYTES:
            raise ConfigError(f"{path}: has {status.st_size} bytes{by}: expected at most {MAX_BYTES}")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file{by}: check the path") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read{by}: {error.strerror}") from None
    except ValueError as error:  # a NUL character in the path
        raise ConfigError(f"{str(path)!r}: cannot be read{by}: {error}") from None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: not UTF-8 at line {line}{by}: save it as UTF-8") from None
