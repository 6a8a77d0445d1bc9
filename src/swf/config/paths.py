"""Paths as they are written in a configuration."""

from __future__ import annotations

from pathlib import Path


def absolute(value: object, folder: Path) -> object:
    """A path, or each one of a list, made absolute: a relative one is taken from `folder`, `~` is the home folder.

    What is no path, an empty text included, comes back as it is, for the check of its type.
    """
    match value:
        case str() | Path() if value:
            return folder.absolute() / _expanded(value)
        case list() | tuple():
            return [absolute(item, folder) for item in value]
        case _:
            return value


def _expanded(path: str | Path) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user, or nobody has a home here: then the name is meant as it is
        return Path(path)
