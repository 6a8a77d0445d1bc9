"""`service.env`: ports, names and secrets of the servers in containers. Compose and a shell can read it as well."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from swf.core.errors import ConfigError
from swf.deploy.activemq import USERS, new_passwords

_HEAD: Final = """\
# Ports, names and secrets of the PostgreSQL and ActiveMQ that `testbed start` runs in containers. Written by
# `testbed init` with generated secrets; keep it private. A change of the database's name, user or password is of no
# effect once its volume is made. With a rootless engine set SWF_UID and SWF_GID to 0.
"""
_NAME: Final = "swf"
_AGENT: Final = "ACTIVEMQ_PASSWORD"
_OTHERS: Final = {user: f"SWF_BROKER_PASSWORD_{user.upper()}" for user in USERS if user != "agent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEnvironment:
    """The values of the compose file."""

    project: str
    """Name of the compose project: of its containers, its network and its volume."""
    database_port: int
    broker_port: int
    database_password: str = field(repr=False)
    broker_passwords: Mapping[str, str] = field(repr=False)
    """One for each user of the broker."""
    uid: int
    gid: int
    database_name: str = _NAME
    database_user: str = _NAME
    images: Mapping[str, str] = field(default_factory=dict)
    """Images in place of those that the compose file names, by variable."""

    @classmethod
    def new(cls, *, database_port: int, broker_port: int) -> Self:
        """Values with new secrets, from the system's randomness, for the user who runs this program."""
        return cls(
            project=f"swf-{secrets.token_hex(4)}",
            database_port=database_port,
            broker_port=broker_port,
            database_password=secrets.token_urlsafe(24),
            broker_passwords=new_passwords(),
            uid=os.getuid(),
            gid=os.getgid(),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            ConfigError: it is not there or cannot be read, or a line of it is wrong or missing.
        """
        values = _assignments(path)
        missing = [name for name in (*_NEEDED, *_OTHERS.values()) if not values.get(name)]
        if missing:
            raise ConfigError(
                f"{path}: {', '.join(missing)} has no value: give it one, or move the file away and run testbed init"
            )
        return cls(
            project=values["COMPOSE_PROJECT_NAME"],
            database_port=_number(path, values, "SWF_DATABASE_PORT", 1, 65535),
            broker_port=_number(path, values, "ACTIVEMQ_PORT", 1, 65535),
            database_password=values["SWF_DATABASE_PASSWORD"],
            broker_passwords={"agent": values[_AGENT], **{user: values[name] for user, name in _OTHERS.items()}},
            uid=_number(path, values, "SWF_UID", 0, 2**32 - 1),
            gid=_number(path, values, "SWF_GID", 0, 2**32 - 1),
            database_name=values["SWF_DATABASE_NAME"],
            database_user=values["SWF_DATABASE_USER"],
            images={name: values[name] for name in _IMAGES if values.get(name)},
        )

    def text(self, broker_folder: Path) -> str:
        """The file's text. It holds secrets."""
        lines = (f"{name}={_quoted(value)}\n" for name, value in self.variables(broker_folder).items())
        return _HEAD + "".join(lines)

    def variables(self, broker_folder: Path) -> dict[str, str]:
        """The values as environment variables; `broker_folder` is where the broker's configuration and data are."""
        return {
            "COMPOSE_PROJECT_NAME": self.project,
            "SWF_DATABASE_NAME": self.database_name,
            "SWF_DATABASE_USER": self.database_user,
            "SWF_DATABASE_PASSWORD": self.database_password,
            "SWF_DATABASE_PORT": str(self.database_port),
            "ACTIVEMQ_PORT": str(self.broker_port),
            "ACTIVEMQ_USER": "agent",
            _AGENT: self.broker_passwords["agent"],
            **{name: self.broker_passwords[user] for user, name in _OTHERS.items()},
            "SWF_BROKER_FOLDER": str(broker_folder),
            "SWF_UID": str(self.uid),
            "SWF_GID": str(self.gid),
            **self.images,
        }

    def bus(self) -> dict[str, Any]:
        """What agents need to reach the broker: keys of `[bus]`."""
        return {
            "host": "127.0.0.1",
            "port": self.broker_port,
            "user": "agent",
            "password": self.broker_passwords["agent"],
        }

    def database(self) -> dict[str, Any]:
        """What agents need to reach the database: keys of `[database]`."""
        return {
            "host": "127.0.0.1",
            "port": self.database_port,
            "name": self.database_name,
            "user": self.database_user,
            "password": self.database_password,
        }


_IMAGES: Final = ("SWF_POSTGRESQL_IMAGE", "SWF_ACTIVEMQ_IMAGE")
_NEEDED: Final = (
    "COMPOSE_PROJECT_NAME",
    "SWF_DATABASE_NAME",
    "SWF_DATABASE_USER",
    "SWF_DATABASE_PASSWORD",
    "SWF_DATABASE_PORT",
    "ACTIVEMQ_PORT",
    _AGENT,
    "SWF_UID",
    "SWF_GID",
)


def _assignments(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}: make it with testbed init") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: {error}; expected NAME='value'") from None
        if not words:
            continue
        name, equals, value = words[0].partition("=")
        if not equals or len(words) > 1:
            raise ConfigError(f"{path}, line {number}: expected NAME='value', and one on a line")
        values[name] = value
    return values


def _quoted(value: str) -> str:
    """In single quotes, in which neither a shell nor compose changes anything."""
    return f"'{value}'"


def _number(path: Path, values: Mapping[str, str], name: str, low: int, high: int) -> int:
    text = values[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise ConfigError(f"{path}: {name}={text[:40]}: expected a whole number from {low} to {high}")
    return int(text)
