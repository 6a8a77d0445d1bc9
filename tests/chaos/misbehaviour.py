"""How a test tells the payloads of a run to misbehave, and hears from those that wait."""

from __future__ import annotations

import errno
import json
import os
import select
import sys
import time
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
        os.mkfifo(self._go)
        plan: dict[str, Any] = {"crash": list(crash), "hang": list(hang), "wait": list(wait)}
        self._plan.write_text(json.dumps({**plan, "marks": str(self._marks), "at": str(at), "go": str(self._go)}))
        # Open for both, so that it never closes between two writers.
        self._at = os.open(at, os.O_RDWR | os.O_NONBLOCK)
        self._heard = b""

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

    def let_go(self) -> None:
        """Let one that waits go on.

        Raises:
            AssertionError: none waits any more; it would be waited for in vain.
        """
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                # A pipe without a reader refuses a writer that does not wait for one.
                os.close(os.open(self._go, os.O_WRONLY | os.O_NONBLOCK))
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                time.sleep(0.01)  # a payload says that it waits, and then opens the pipe
            else:
                return
        raise AssertionError("the payload that said it waits has gone")

    def let_all_go(self) -> None:
        """Let no payload wait from here on; for use while none runs."""
        (self._marks / "open").touch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._at)
