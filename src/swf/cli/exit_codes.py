"""What the exit code of a command says. One table, used by the code and by the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from swf.core.errors import BusyError, ConfigError, IllegalMoveError, QuestionError, SwfError, UnknownNameError


class ExitCode(IntEnum):
    """The exit codes."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    NOT_FOUND = 4
    BUSY = 5
    INTERRUPTED = 130


MEANINGS: Final[Mapping[ExitCode, str]] = MappingProxyType(
    {
        ExitCode.DONE: "done; a run is closed and every unit of it complete",
        ExitCode.FAILED: "failed; a run is not closed",
        ExitCode.USAGE: "wrong usage or configuration, or the thing's state does not allow it; nothing was done",
        ExitCode.INCOMPLETE: "the run closed, but some unit failed, expired or is missing",
        ExitCode.NOT_FOUND: "nothing of that name is known here",
        ExitCode.BUSY: "another process holds what this one needs",
        ExitCode.INTERRUPTED: "interrupted; it can be resumed",
    }
)
"""Every code in words."""

_BY_ERROR: Final = (
    (ConfigError, ExitCode.USAGE),
    (IllegalMoveError, ExitCode.USAGE),
    (QuestionError, ExitCode.USAGE),
    (UnknownNameError, ExitCode.NOT_FOUND),
    (BusyError, ExitCode.BUSY),
    (SwfError, ExitCode.FAILED),
)


def code_of(error: SwfError) -> ExitCode:
    """The exit code for an error, by its type."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))


def table() -> str:
    """The table as Markdown."""
    rows = [f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["| exit code | meaning |", "|---|---|", *rows])
