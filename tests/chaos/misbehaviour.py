"""How a test tells the payloads of a run to misbehave, and hears from those that wait."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from scenario import Parameters
from testbed_process import HERE, PATIENCE_S


class Misbehaviour:
    """A plan for `chaos_payload`, with the pipes that it needs. `crash`, `hang` and `wait` are slice numbers."""

    def __init__(
        self, root: Path, *, crash: Sequence[int] = (), hang: Sequence[int] = (), wait: Sequence[int] = ()
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._plan = root / "plan.json"
        self._marks, at, self._go = root / "marks", root / "at", root / "go"
        self._marks.mkdir()
        os.mkfifo(at)
        plan: dict[str, Any] = {"crash": list(crash), "hang": list(hang), "wait": list(wait)}
        self._plan.write_text(json.dumps({**plan, "marks": str(self._marks), "at": str(at), "go": str(self._go)}))
        # Open for both, so that it never closes between two writers.
        self._at = os.open(at, os.O_RDWR | os.O_NONBLOCK)
        self._heard = b""
        self._held: list[int] = []

    def parameters(self, base: Parameters, *, as_command: bool = False, settings: Sequence[str] = ()) -> Parameters:
        """The parameters of a run with these payloads."""
        program = [sys.executable, str(HERE / "chaos_payload.py")]
        placeholders = ["{input}", "{first}", "{last}", "{output}", "{run}", "{slice}"]
        how = (
            f"payload.command={json.dumps([*program, *placeholders])}"
            if as_command
            else "payload.entry_point=chaos_payload:run"
        )
        environment = json.dumps([f"CHAOS_PLAN={self._plan}"])
        mine = ("payload.name=chaos", how, f"payload.environment={environment}")
        return replace(base, settings=(*base.settings, *mine, *settings))

    def waiting(self, number: int) -> list[str]:
        """The names of that many slices that wait, once they do."""
        while self._heard.count(b"\n") < number:
            ready, _, _ = select.select([self._at], [], [], PATIENCE_S)
            if not ready:
                raise AssertionError(f"no payload came to where it waits; heard so far: {self._heard.decode()}")
            self._heard += os.read(self._at, 4096)
        return self._heard.decode().split()

    def let_go(self, name: str) -> None:
        """Let the slice of that name go on, which waits: nobody else does, and nothing happens if it has gone."""
        # Open for both: it opens at once, and what is written stays there until it is read.
        pipe = os.open(f"{self._go}-{name}", os.O_RDWR | os.O_NONBLOCK)
        self._held.append(pipe)
        os.write(pipe, b"go\n")

    def let_all_go(self) -> None:
        """Let no payload wait from here on; for use while none runs."""
        (self._marks / "open").touch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for pipe in (self._at, *self._held):
            os.close(pipe)
