"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARNING = "warning"
    """It works, or is not needed now; somebody should look at it."""
    FAILED = "failed"
    """The testbed cannot work like that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing: what was found, and what to do about it; nothing where it is in order."""

    subject: str
    verdict: Verdict
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return asdict(self)


def ok(subject: str, found: str) -> Finding:
    """A thing that is in order."""
    return Finding(subject=subject, verdict=Verdict.OK, found=found)


def warning(subject: str, found: str, advice: str) -> Finding:
    """A thing that somebody should look at."""
    return Finding(subject=subject, verdict=Verdict.WARNING, found=found, advice=advice)


def failed(subject: str, found: str, advice: str = "") -> Finding:
    """A thing that does not work. Messages of this program's errors have their advice in them."""
    return Finding(subject=subject, verdict=Verdict.FAILED, found=found, advice=advice)
