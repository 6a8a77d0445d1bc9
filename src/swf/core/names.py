"""Names of the things that the system makes, and the check of names that come from outside."""

from __future__ import annotations

import re

from swf.core.errors import MalformedMessageError

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\Z")
_NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


def execution_id(workflow: str, user: str, number: int) -> str:
    """The identity of an execution: `<workflow>-<user>-<n:04d>`."""
    return f"{workflow}-{user}-{number:04d}"


def as_user(name: str) -> str:
    """A person's name in the letters that names of executions and agents may have."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)[:32] or "nobody"


def agent_name(role: str, user: str, number: int) -> str:
    """The name of an agent: `<role>-agent-<user>-<n>`."""
    return f"{role}-agent-{user}-{number}"


def dataset_name(run: int) -> str:
    """The name of a run's dataset within its scope: `swf.<run>.run`."""
    return f"swf.{run}.run"


def checked_file_name(name: str) -> str:
    """`name`, if it is a plain file name that can be joined to a folder without leaving it.

    Raises:
        MalformedMessageError: it has a path, a hidden or an unusual name, or more than 200 characters.
    """
    if not _FILE_NAME.match(name) or ".." in name:
        raise MalformedMessageError(
            f"{name[:80]!r} is not a plain file name: expected up to 200 of A-Z a-z 0-9 . _ + - and no path"
        )
    return name


def is_namespace(name: str) -> bool:
    """Whether `name` can be a namespace: up to 64 of `A-Z a-z 0-9 _ -`, starting with a letter or digit."""
    return _NAMESPACE.match(name) is not None
