"""The service file of a data directory: that its agents use a broker and a database, and which."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from swf.config import Section
from swf.config.tomlfile import read_toml
from swf.core.errors import ConfigError, StorageError
from swf.service.settings import ServiceSection
from swf.storage.atomic import atomic_file

_HEAD: Final = (
    "# Where the services of this data directory are. Written by testbed; keep it private: it holds passwords.\n"
)


def write_service_file(path: Path, sections: Mapping[type[Section], Mapping[str, object]]) -> None:
    """Write the file, readable by its owner only.

    Args:
        path: `Workspace.service_file`.
        sections: the values of each section; they are checked against its model. What is None is left out.

    Raises:
        StorageError: it cannot be written.
    """
    text = _HEAD
    for model, values in sections.items():
        checked = model.model_validate(dict(values))
        text += f"\n[{model.section}]\n"
        text += "".join(f"{key} = {_toml(getattr(checked, key))}\n" for key in values if values[key] is not None)
    with atomic_file(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8")


def read_service(path: Path) -> ServiceSection | None:
    """By which command, and for what, the services were started; None where there is no file.

    Raises:
        ConfigError: the file cannot be read, or is wrong.
    """
    if not path.exists():
        return None
    try:
        return ServiceSection.model_validate(read_toml(path).table.get(ServiceSection.section, {}))
    except ValidationError as error:
        keys = ", ".join(str(problem["loc"][0]) for problem in error.errors() if problem["loc"])
        raise ConfigError(
            f"{path}: [service] {keys}: not what testbed writes there; end what runs with: testbed down, and remove it"
        ) from error


def remove_service_file(path: Path) -> bool:
    """Take the file away; the directory is in embedded mode again. Returns whether it was there.

    Raises:
        StorageError: it cannot be removed.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(f"{path} cannot be removed: {error.strerror}") from error
    return True


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, SecretStr):
        return _text(value.get_secret_value())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return _text(os.fspath(value) if isinstance(value, Path) else str(value))


def _text(text: str) -> str:
    """A basic string of TOML: what cannot stand in it as it is, is escaped."""
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in {'"', "\\"}:
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
