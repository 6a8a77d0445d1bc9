"""Structured logs: one event name and its fields; to a file as JSON lines, and in batches to the store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Protocol

import structlog

from swf.core.times import Clock, rfc3339
from swf.store import bulk, database
from swf.store.models import AppLog

_COLUMNS = ("namespace", "execution_id", "run_number")
_KEPT = 10_000
"""Log lines that wait for the store at most; the file has them all."""


class Log(Protocol):
    """What the rest of the program logs with."""

    def info(self, event: str, **fields: object) -> Any: ...

    def warning(self, event: str, **fields: object) -> Any: ...

    def error(self, event: str, **fields: object) -> Any: ...


class LogSink:
    """Takes the log lines of one process. `step` writes those that wait to the store; `echo` gets each one for a person
    who watches. Without `to_store`, the file alone has them."""

    def __init__(
        self,
        path: Path,
        app_name: str,
        clock: Clock,
        echo: Callable[[str], None] = lambda line: None,
        *,
        to_store: bool = True,
    ) -> None:
        self._echo = echo
        self._kept = _KEPT if to_store else 0
        self._file = path.open("a", encoding="utf-8")
        self._app_name = app_name
        self._clock = clock
        self._waiting: list[dict[str, Any]] = []

    def logger(self, instance_name: str, **fields: object) -> Log:
        """A logger whose lines carry these fields."""
        plain = structlog.wrap_logger(self, processors=[self._process], wrapper_class=structlog.BoundLogger)
        log: Log = plain.bind(instance_name=instance_name, **fields)
        return log

    def step(self) -> None:
        """Write what waits to the store, many lines at once."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            try:
                bulk.insert(AppLog, waiting)
            except database.FAILURES:
                self._waiting = [*waiting, *self._waiting][: self._kept]
                raise

    def close(self) -> None:
        """Write what is left. Where the store does not take it any more, the file has it."""
        with contextlib.suppress(*database.FAILURES):
            self.step()
        self._file.close()

    def _process(self, _: object, method: str, fields: MutableMapping[str, Any]) -> tuple[tuple[()], dict[str, Any]]:
        return (), {"level": method.upper(), "fields": dict(fields)}

    def _write(self, level: str, fields: dict[str, Any]) -> None:
        now = self._clock.now()
        event = str(fields.pop("event"))
        instance = str(fields.pop("instance_name"))
        line = {"time": rfc3339(now), "level": level, "agent": instance, "event": event, **fields}
        # A full disk takes no log lines; that must not end the process that waits for space.
        with contextlib.suppress(OSError):
            self._file.write(json.dumps(line, default=str) + "\n")
            self._file.flush()
        self._echo(_for_a_person(line))
        columns = {name: fields.pop(name, None) for name in _COLUMNS}
        if len(self._waiting) < self._kept:
            self._waiting.append(
                {
                    "app_name": self._app_name,
                    "instance_name": instance[:100],
                    "timestamp": now,
                    "levelname": level,
                    "event": event[:200],
                    "namespace": columns["namespace"] or "",
                    "execution_id": columns["execution_id"] or "",
                    "run_number": columns["run_number"],
                    "extra_data": json.dumps(fields, default=str),
                }
            )

    def info(self, *, level: str, fields: dict[str, Any]) -> None:
        """What structlog calls at the end of its chain."""
        self._write(level, fields)

    warning = error = info


def _for_a_person(line: Mapping[str, Any]) -> str:
    """One line of text: the time of day, the level where it is no information, the event, and its fields."""
    time, level, agent, event = (str(line[key]) for key in ("time", "level", "agent", "event"))
    fields = " ".join(f"{key}={value}" for key, value in line.items() if key not in {"time", "level", "agent", "event"})
    return " ".join(part for part in (time[11:23], "" if level == "INFO" else level, agent, event, fields) if part)
