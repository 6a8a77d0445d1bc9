"""Numbering the event log in service mode, on a thread of its own: agents that are busy do not keep readers waiting."""

from __future__ import annotations

import threading
from types import TracebackType

from django.db import connection

from swf.core.times import Clock
from swf.service.logs import Log
from swf.service.loop import Patient
from swf.store.sequencer import Sequencer, take_seat

_LOOK_S, _STAND_BY_S = 0.02, 1.0


class Numbering:
    """Runs a sequencer until the end of the block. Every process has one, and one of them at a time numbers rows."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._sequencer = Sequencer(clock)
        self._patient = Patient(self._step, clock, log, "sequencer")
        self._seated = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="swf-numbering", daemon=True)

    def __enter__(self) -> Numbering:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _step(self) -> bool:
        if not self._seated:
            self._seated = take_seat()
            return False
        try:
            return self._sequencer.step()
        except Exception:
            # The seat goes with the connection.
            self._seated = False
            raise

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                if not self._patient.step():
                    self._ended.wait(_LOOK_S if self._seated else _STAND_BY_S)
        finally:
            connection.close()
