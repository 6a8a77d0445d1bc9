"""The latest rows of the event log, kept for all readers together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from swf.monitor.live.frames import frame_of
from swf.store.events import EventFilter
from swf.store.models import Event

MOST_ROWS: Final = 8192
MOST_BYTES: Final = 32 * 2**20
PIECE_BYTES: Final = 64 * 1024
"""How much is sent to a reader at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A row, and how it is sent."""

    seq: int
    row: Event
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a reader is sent next; `seq` is the number up to which it then has everything that it wants."""

    data: bytes
    events: int
    seq: int


class Recent:
    """Every row with a number above `floor` up to `head`.

    Args:
        seq: where it begins: everything up to this number is left out.
    """

    def __init__(self, seq: int, *, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self._rows: list[Kept] = []
        self._bytes = 0
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self.floor = self.head = seq

    def add(self, rows: Sequence[Event]) -> None:
        """Add the next rows of the log; the oldest ones go where there are too many."""
        for row in rows:
            assert row.seq is not None
            kept = Kept(seq=row.seq, row=row, frame=frame_of(row))
            self._rows.append(kept)
            self._bytes += len(kept.frame)
            self.head = row.seq
        excess = max(0, len(self._rows) - self._most_rows)
        over = self._bytes - sum(len(each.frame) for each in self._rows[:excess])
        while over > self._most_bytes and excess < len(self._rows):
            over -= len(self._rows[excess].frame)
            excess += 1
        if excess:
            self.floor = self._rows[excess - 1].seq
            del self._rows[:excess]
            self._bytes = over

    def behind(self, seq: int) -> int:
        """How many rows of those kept come behind a number."""
        return len(self._rows) - self._place(seq)

    def after(self, seq: int, wanted: EventFilter) -> Piece:
        """What a reader that has come to `seq`, which is not below the floor, is sent next."""
        frames: list[bytes] = []
        size, came_to = 0, seq
        for kept in self._rows[self._place(seq) :]:
            if wanted.has(kept.row):
                frames.append(kept.frame)
                size += len(kept.frame)
            came_to = kept.seq
            if size >= PIECE_BYTES:
                break
        return Piece(data=b"".join(frames), events=len(frames), seq=came_to)

    def _place(self, seq: int) -> int:
        return bisect_right(self._rows, seq, key=lambda kept: kept.seq)
