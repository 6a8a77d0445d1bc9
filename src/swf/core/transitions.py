"""Lifecycles as data: one table of moves each, from which code, checks and diagrams are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from swf.core.errors import IllegalMoveError

State = TypeVar("State")
Trigger = TypeVar("Trigger", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Generic[State, Trigger]):
    """One legal move: in `source`, `trigger` leads to `target`; `why` says it in words for the documentation."""

    source: State
    trigger: Trigger
    target: State
    why: str = ""


class TransitionTable(Generic[State, Trigger]):
    """All legal moves of one lifecycle. What is not in the table is illegal.

    Raises:
        ValueError: two moves leave one state by the same trigger.
    """

    def __init__(self, name: str, initial: State, moves: tuple[Move[State, Trigger], ...]) -> None:
        self.name = name
        self.initial = initial
        self.moves = moves
        self._targets = {(move.source, move.trigger): move.target for move in moves}
        if len(self._targets) != len(moves):
            raise ValueError(f"the lifecycle {name!r} has two moves with the same source and trigger")

    def target(self, source: State, trigger: Trigger) -> State:
        """Where `trigger` leads from `source`.

        Raises:
            IllegalMoveError: the table has no such move; the message names those it has.
        """
        try:
            return self._targets[source, trigger]
        except KeyError:
            legal = ", ".join(str(t) for t in self.triggers(source)) or "none: this state is final"
            raise IllegalMoveError(
                f"{self.name}: {trigger} is not legal in state {label(source)}; legal here: {legal}"
            ) from None

    def allows(self, source: State, trigger: Trigger) -> bool:
        """Whether `trigger` is legal in `source`."""
        return (source, trigger) in self._targets

    def triggers(self, source: State) -> Iterator[Trigger]:
        """The triggers that are legal in `source`, in the table's order."""
        return (move.trigger for move in self.moves if move.source == source)

    def mermaid(self) -> str:
        """The lifecycle as a Mermaid state diagram, for the documentation."""
        lines = ["stateDiagram-v2", f"    [*] --> {node(self.initial)}"]
        lines += [f"    {node(m.source)} --> {node(m.target)}: {m.trigger}" for m in self.moves]
        sources = {m.source for m in self.moves}
        finals = dict.fromkeys(m.target for m in self.moves if m.target not in sources)
        return "\n".join([*lines, *(f"    {node(state)} --> [*]" for state in finals)])


def label(state: object) -> str:
    """A state in words: `run/physics` for a pair, the plain word otherwise."""
    return "/".join(str(part) for part in state) if isinstance(state, tuple) else str(state)


def node(state: object) -> str:
    """A state as a Mermaid identifier."""
    return label(state).replace("/", "__")
