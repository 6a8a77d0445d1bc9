"""What a question is asked with: when, and what the asker may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

Namespaces: TypeAlias = frozenset[str] | None
"""The namespaces whose rows may be seen; None: all. What lies in another one does not exist for who asks."""

EVERYWHERE: Final[Namespaces] = None


def only(namespace: str | None) -> Namespaces:
    """The one namespace of that name; None: all."""
    return None if namespace is None else frozenset({namespace})


def sees(namespaces: Namespaces, namespace: str) -> bool:
    """Whether rows of a namespace may be seen."""
    return namespaces is None or namespace in namespaces


def here(namespaces: Namespaces) -> str:
    """Where was looked, for a person: `here`, or `in namespace 'x'`."""
    if namespaces is None or not namespaces:
        return "here"
    names = ", ".join(repr(name) for name in sorted(namespaces)[:5])
    return f"in namespace {names}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """When a question is asked, what may be seen, and what is at work meanwhile.

    `process` is the process that runs agents in the data directory; None where none does.
    """

    now: datetime
    process: int | None = None
    namespaces: Namespaces = EVERYWHERE
