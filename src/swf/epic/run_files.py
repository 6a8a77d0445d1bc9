"""Where the STFs of runs lie: where their executions say, otherwise in the data directory."""

from __future__ import annotations

from pathlib import Path

from swf.epic.run_settings import RunBook
from swf.service.workspace import Workspace


class RunFiles:
    """Looks the places of a run's STFs up."""

    def __init__(self, book: RunBook, workspace: Workspace) -> None:
        self._book = book
        self._workspace = workspace

    def buffer(self, run_number: int) -> Path:
        """The exit buffer, where the DAQ writes.

        Raises:
            UnknownNameError: the run or its execution is not known here.
        """
        return self._book.settings(run_number).exit_buffer or self._workspace.exit_buffer

    def source(self, run_number: int) -> str:
        """Where samplers and payloads read: a folder, or a `root://` address.

        Raises:
            UnknownNameError: the run or its execution is not known here.
        """
        return self._book.settings(run_number).read_from or str(self.buffer(run_number))
