"""The exit buffer's policy: which files may leave, which leave now, and whether the next STF fits.

A file leaves only when it is archived, or when its run is closed and its workflow has no archive stage; and never while
somebody still has to read it. What may leave stays until its retention is over or its space is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from swf.core.figures import size


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferedFile:
    """An STF file in the exit buffer."""

    name: str
    size_bytes: int
    created: datetime
    archived: bool
    run_closed: bool
    archive_required: bool
    in_use: bool = False
    """Whether work that reads it is not finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitBufferPolicy:
    """How much the exit buffer holds, and how long it keeps what could leave."""

    capacity_bytes: int
    retention: timedelta


class LeaveReason(StrEnum):
    """Why a file leaves."""

    RETENTION = "retention"
    """It was kept for as long as configured."""
    SPACE = "space"
    """A new STF needs its space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A file that is to be removed from the exit buffer."""

    name: str
    size_bytes: int
    reason: LeaveReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitBufferDecision:
    """What to do with the exit buffer now.

    `used_bytes` is what stays after the departures; `fits` says whether the incoming bytes fit beside it. Where they do
    not, the run has to pause, and `alarm` says why and what to do; otherwise it is empty. `overdue` counts files beyond
    their retention that may not leave.
    """

    leave: tuple[Departure, ...]
    used_bytes: int
    fits: bool
    alarm: str
    overdue: int


def may_leave(file: BufferedFile) -> bool:
    """Whether nothing would be lost if the file left."""
    return not file.in_use and (file.archived or (file.run_closed and not file.archive_required))


def decide(
    policy: ExitBufferPolicy, files: Iterable[BufferedFile], now: datetime, *, incoming_bytes: int = 0
) -> ExitBufferDecision:
    """Which files leave now so that `incoming_bytes` more fit, the oldest first.

    Files leave for space only where that makes the new STF fit, and no more of them than it takes.
    """
    oldest_first = sorted(files, key=lambda file: (file.created, file.name))
    over = [file for file in oldest_first if now - file.created >= policy.retention]
    leave = [_departure(file, LeaveReason.RETENTION) for file in over if may_leave(file)]
    gone = {departure.name for departure in leave}
    stay = [file for file in oldest_first if file.name not in gone]
    used = sum(file.size_bytes for file in stay)

    lacking = used + incoming_bytes - policy.capacity_bytes
    movable = [file for file in stay if may_leave(file)]
    if incoming_bytes and 0 < lacking <= sum(file.size_bytes for file in movable):
        for file in movable:
            if lacking <= 0:
                break
            leave.append(_departure(file, LeaveReason.SPACE))
            used -= file.size_bytes
            lacking -= file.size_bytes
    fits = used + incoming_bytes <= policy.capacity_bytes
    return ExitBufferDecision(
        leave=tuple(leave),
        used_bytes=used,
        fits=fits,
        alarm="" if fits else _alarm(policy, stay, used, incoming_bytes),
        overdue=len(over) - sum(1 for file in over if may_leave(file)),
    )


def _departure(file: BufferedFile, reason: LeaveReason) -> Departure:
    return Departure(name=file.name, size_bytes=file.size_bytes, reason=reason)


def _alarm(policy: ExitBufferPolicy, stay: list[BufferedFile], used: int, incoming: int) -> str:
    capacity = policy.capacity_bytes
    if incoming > capacity:
        return (
            f"the next STF has {size(incoming)} but the exit buffer holds {size(capacity)} in all: "
            f"raise the exit buffer's capacity or make STFs smaller"
        )
    waiting = [
        f"{number} {why}"
        for number, why in (
            (sum(1 for file in stay if _keeps(file) == "archive"), "not archived"),
            (sum(1 for file in stay if _keeps(file) == "run"), "of a run that is not closed"),
            (sum(1 for file in stay if _keeps(file) == "use"), "with work still to read them"),
        )
        if number
    ]
    blocked = [file for file in stay if not may_leave(file)]
    held = f"; files that may not leave: {', '.join(waiting)}; the oldest is {blocked[0].name}" if blocked else ""
    return (
        f"the exit buffer is full: {size(used)} of {size(capacity)} are used and the next STF needs {size(incoming)}"
        f"{held}. Let archiving and processing catch up, or raise the exit buffer's capacity"
    )


def _keeps(file: BufferedFile) -> str:
    """What keeps a file in the buffer, the first reason that applies; empty where nothing does."""
    if may_leave(file):
        return ""
    if file.archive_required and not file.archived:
        return "archive"
    return "use" if file.archived or file.run_closed else "run"
