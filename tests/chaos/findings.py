"""What a check found, in four words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """What became of something at a fault."""

    LOST = "lost"
    """It should be there, and is not."""
    DUPLICATED = "duplicated"
    """It took effect more than once."""
    UNEXPECTED = "unexpected"
    """It is there and should not be, or is not what it should be."""
    RECOVERED = "recovered"
    """It was under way at the fault, and was put right: as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found."""

    word: Word
    what: str

    def __str__(self) -> str:
        return f"{self.word}: {self.what}"


def lost(what: str) -> Finding:
    """It should be there."""
    return Finding(word=Word.LOST, what=what)


def duplicated(what: str) -> Finding:
    """It took effect more than once."""
    return Finding(word=Word.DUPLICATED, what=what)


def unexpected(what: str) -> Finding:
    """It should not be, or not be so."""
    return Finding(word=Word.UNEXPECTED, what=what)


def recovered(what: str) -> Finding:
    """It was put right."""
    return Finding(word=Word.RECOVERED, what=what)


def harm(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that a fault must not lead to."""
    return [finding for finding in findings if finding.word is not Word.RECOVERED]


def counted(findings: Iterable[Finding]) -> str:
    """`0 lost, 0 duplicated, 0 unexpected, 3 recovered`."""
    number = Counter(finding.word for finding in findings)
    return ", ".join(f"{number[word]} {word}" for word in Word)
