"""Where the time of a run goes: per agent, and within it statements, commits and Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from swf.messaging.runtime import Runtime

OUTSIDE = "loop"
"""What runs between the agents' steps: heartbeats, logs, the question whether the run is closed."""


@dataclass(slots=True)
class Stage:
    """The time of one agent, in seconds, and its round trips to the database."""

    wall_s: float = 0.0
    statements_s: float = 0.0
    commits_s: float = 0.0
    statements: int = 0
    commits: int = 0

    @property
    def python_s(self) -> float:
        """What is neither a statement nor a commit."""
        return self.wall_s - self.statements_s - self.commits_s


@dataclass(slots=True)
class Stages:
    """Follows a run. An `executemany` of one statement, and a COMMIT or ROLLBACK, are one round trip each."""

    by_role: dict[str, Stage] = field(default_factory=dict)
    _now: str = OUTSIDE

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Measure the steps of all runtimes that are made meanwhile, and all statements of this thread's connection."""
        step = Runtime.step
        Runtime.step = self._timed(step)  # type: ignore[method-assign, assignment]
        # Django counts no COMMIT among its statements: its wrapper hands them to the driver by these two.
        originals = {name: getattr(connection, name) for name in ("_commit", "_rollback")}
        for name, original in originals.items():
            setattr(connection, name, self._ending(original))
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            Runtime.step = step  # type: ignore[method-assign]
            for name, original in originals.items():
                setattr(connection, name, original)

    def begin(self) -> None:
        """Forget what was measured so far."""
        self.by_role.clear()

    def taken(self) -> Stages:
        """What was measured up to now."""
        return Stages(by_role=deepcopy(self.by_role))

    @property
    def round_trips(self) -> int:
        """All statements and all ends of transactions."""
        return sum(stage.statements + stage.commits for stage in self.by_role.values())

    @property
    def transactions(self) -> int:
        """All ends of transactions."""
        return sum(stage.commits for stage in self.by_role.values())

    def as_json(self) -> dict[str, dict[str, float]]:
        """Per agent, in seconds."""
        return {
            role: {
                "wall_s": stage.wall_s,
                "statements_s": stage.statements_s,
                "commits_s": stage.commits_s,
                "python_s": stage.python_s,
                "statements": stage.statements,
                "commits": stage.commits,
            }
            for role, stage in self.by_role.items()
        }

    def _stage(self) -> Stage:
        return self.by_role.setdefault(self._now, Stage())

    def _timed(self, step: Callable[[Runtime], bool]) -> Callable[[Runtime], bool]:
        def timed(runtime: Runtime) -> bool:
            self._now = runtime.identity.role
            began = time.perf_counter()
            try:
                return step(runtime)
            finally:
                self._stage().wall_s += time.perf_counter() - began
                self._now = OUTSIDE

        return timed

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        stage, began = self._stage(), time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            stage.statements_s += time.perf_counter() - began
            stage.statements += 1

    def _ending(self, end: Callable[[], Any]) -> Callable[[], Any]:
        def ending() -> Any:
            stage, began = self._stage(), time.perf_counter()
            try:
                return end()
            finally:
                stage.commits_s += time.perf_counter() - began
                stage.commits += 1

        return ending
