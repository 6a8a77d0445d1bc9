"""An agent: a role, what it subscribes to, and its handlers and reconcilers, given to one runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from swf.core.messages import Body, Message
from swf.messaging.turn import Turn, TurnFactory

Handler = Callable[[Turn, Sequence[Message[Any]]], None]
"""Handles messages of one type, in their order, in bulk. It only loads, decides by pure functions, and saves.

Raises:
    FatalError: the message can never be handled; it goes to the dead letters.
    RetriableError: trying again can help; it is tried again later, with back-off, a limited number of times.
"""


class Reconciler(Protocol):
    """Brings something outside the database to what rows say it should be, or the rows to what is there."""

    def step(self, begin: TurnFactory) -> bool:
        """Compare desired with observed and act on the difference, once. Returns whether there was anything to do.

        Never waits; what takes long runs elsewhere and is looked at again in a later step.
        """
        ...


def plenty() -> int:
    """An agent takes as many messages at once as the runtime offers, when nothing else limits it."""
    return 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What makes an agent. `capacity` says how many more messages it can take at present."""

    role: str
    subscriptions: tuple[str, ...] = ()
    handlers: Mapping[type[Body], Handler] = field(default_factory=dict)
    reconcilers: tuple[Reconciler, ...] = ()
    capacity: Callable[[], int] = plenty
