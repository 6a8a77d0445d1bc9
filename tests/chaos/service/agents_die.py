"""Agents that are killed again and again, each in turn at one of its effect boundaries."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent_life import AgentLife

KILLED = -9


@dataclass(slots=True, kw_only=True)
class Deaths:
    """Lets an agent die at one boundary after the other, a life for each; its last life has no end."""

    agent: AgentLife
    to_come: list[str]
    """`name:passage`, in the order in which they come."""
    done: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)
    """Lives that ended in another way than was said."""
    at: str = ""
    """What the present life is to die at."""
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """From here on."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether its last life has begun."""
        return self._thread is not None and not self._thread.is_alive()

    def join(self) -> None:
        """Wait until its last life has begun."""
        if self._thread is not None:
            self._thread.join()

    def give_up(self) -> None:
        """No more lives: the present one ends."""
        self.to_come.clear()
        if not self.over and self.agent.lives_now:
            self.agent.signal("KILL")

    def _run(self) -> None:
        while self.to_come:
            self.at = self.to_come.pop(0)
            self.agent.start(kill_at=self.at)
            ended = self.agent.wait()
            if ended.code == KILLED and not ended.left:
                self.done.append(self.at)
            else:
                self.otherwise.append(f"{self.at}: {ended.code} {ended.left} {ended.stderr[-1000:]}")
        self.at = ""
        self.agent.start()


@contextmanager
def dying(deaths: Sequence[Deaths]) -> Iterator[None]:
    """Start the agents' lives. At the end of the block those that still have to die have no more lives."""
    try:
        for each in deaths:
            each.start()
        yield
    finally:
        for each in deaths:
            each.give_up()
        for each in deaths:
            each.join()
