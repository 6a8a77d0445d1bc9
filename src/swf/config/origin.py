"""Where a value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Layer(IntEnum):
    """The layers of the configuration; a higher one is stronger."""

    DEFAULT = 0
    """The default of the program."""
    INCLUDE = 1
    """A file that the workflow file includes."""
    WORKFLOW = 2
    """The workflow file."""
    USER = 3
    """The user's file, and what it includes."""
    ENVIRONMENT = 4
    """An environment variable."""
    SERVICE = 5
    """The service file of the data directory: where its broker and its database are."""
    STORED = 6
    """What an execution was started with; only when it is resumed."""
    FLAG = 7
    """The command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from; as text, in a form that a person finds it by."""

    layer: Layer
    name: str = ""
    """The flag, the variable, or what was stored; empty for files and defaults."""
    file: Path | None = None
    line: int | None = None
    """Line of the file, from 1, where it is known."""
    via: str = ""
    """The key `section.key` that held the value, where another section was the stronger one."""

    def __str__(self) -> str:
        text = self._place()
        return f"{text}, as {self.via}" if self.via else text

    def _place(self) -> str:
        match self.layer:
            case Layer.DEFAULT:
                return "default"
            case Layer.FLAG:
                return f"flag {self.name}"
            case Layer.ENVIRONMENT:
                return f"variable {self.name}"
            case Layer.STORED:
                return self.name
            case _:
                return f"{self.file}, line {self.line}" if self.line else f"{self.file}"

    @property
    def folder(self) -> Path | None:
        """The folder of the file; None where the value comes from no file."""
        return self.file.parent if self.file else None


DEFAULT = Origin(layer=Layer.DEFAULT)
