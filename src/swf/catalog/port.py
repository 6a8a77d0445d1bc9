"""The catalogue port. Every verb may be repeated: what is there already stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetName:
    """A dataset's identity: scope and name."""

    scope: str
    name: str

    def __str__(self) -> str:
        return f"{self.scope}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFile:
    """A file as the catalogue knows it."""

    name: str
    size_bytes: int
    adler32: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """A dataset as the catalogue has it."""

    dataset: DatasetName
    is_open: bool
    files: int


class Catalog(Protocol):
    """Datasets and their files.

    Every verb raises ServiceError where the catalogue does not answer: it may or may not have happened, and saying it
    again is safe.
    """

    def create(self, dataset: DatasetName, *, namespace: str, run_number: int | None) -> None:
        """Make an open dataset, where there is none of that name."""
        ...

    def attach(self, dataset: DatasetName, files: Sequence[CatalogFile]) -> None:
        """Attach files, where they are not attached.

        Raises:
            UnknownNameError: there is no such dataset.
            IllegalMoveError: it is closed and lacks some of the files.
        """
        ...

    def close(self, dataset: DatasetName) -> None:
        """Close a dataset: it takes no more files.

        Raises:
            UnknownNameError: there is no such dataset.
        """
        ...

    def look(self, dataset: DatasetName) -> DatasetView | None:
        """What the catalogue has under this name; None where nothing."""
        ...
