"""Effect boundaries: the places between two effects, where a process may die. Fault tests end it at each of them."""

from __future__ import annotations

from collections.abc import Callable

Boundary = Callable[[str], None]
"""Called with the name of the boundary that has just been reached."""


def no_boundary(name: str) -> None:
    """Nothing happens at a boundary: the ordinary case."""


def prefixed(prefix: str, boundary: Boundary) -> Boundary:
    """The same boundaries under names that begin with `prefix`."""
    return lambda name: boundary(f"{prefix}.{name}")
