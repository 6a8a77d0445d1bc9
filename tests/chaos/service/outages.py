"""Servers that die again and again while agents are at work."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Outages:
    """Ends a server and starts it again, at random times, on a thread of its own.

    Args:
        ways: how it can be ended; each is called and the server then does not run.
        start: starts it again.
        chance: when, for how long, and in which way.
        up_s: shortest and longest time between a start and the next end.
        down_s: shortest and longest time that it is away.
    """

    ways: dict[str, Callable[[], object]]
    start: Callable[[], object]
    chance: random.Random
    up_s: tuple[float, float]
    down_s: tuple[float, float]
    done: list[str] = field(default_factory=list)
    """The ways in which it was ended so far."""
    _enough: threading.Event = field(default_factory=threading.Event)
    _errors: list[BaseException] = field(default_factory=list)

    @contextmanager
    def happening(self) -> Iterator[None]:
        """From here to the end of the block. The server runs at the end."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._enough.set()
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _run(self) -> None:
        try:
            while not self._enough.wait(self.chance.uniform(*self.up_s)):
                way = self.chance.choice(sorted(self.ways))
                self.ways[way]()
                self.done.append(way)
                self._enough.wait(self.chance.uniform(*self.down_s))
                self.start()
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: it is raised where the test runs
            self._errors.append(error)
