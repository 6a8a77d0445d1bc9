"""Identities: UUIDs of version 7 (RFC 9562), which sort by the time of their making."""

from __future__ import annotations

import os
from typing import Protocol
from uuid import UUID, uuid5

from swf.core.times import Clock

_NAMESPACE = UUID("8c0bb5d4-3d0c-5e58-8a3f-6a52f3d5c0a1")


class IdSource(Protocol):
    """What makes new identities. Injected, so that tests and replays decide them."""

    def new(self) -> UUID:
        """A UUID that was never given out before."""
        ...


class Uuid7Source:
    """UUIDv7 with a counter in `rand_a`, so that identities of one millisecond keep the order of their making.

    Source: RFC 9562, section 5.7 and method 1 of section 6.2.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._millis = 0
        self._counter = 0

    def new(self) -> UUID:
        millis = int(self._clock.now().timestamp() * 1000)
        if millis > self._millis:
            self._millis, self._counter = millis, 0
        else:
            # A clock that steps back, or one busy millisecond: stay on the last one and count.
            self._counter += 1
            if self._counter >> 12:
                self._millis, self._counter = self._millis + 1, 0
        random = int.from_bytes(os.urandom(8)) >> 2
        return UUID(int=(self._millis << 80) | (7 << 76) | (self._counter << 64) | (2 << 62) | random)


class CountingIds:
    """Identities 1, 2, 3 ...; for tests and replays."""

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> UUID:
        self._last += 1
        return UUID(int=(7 << 76) | (2 << 62) | self._last)


def id_from_content(text: str) -> UUID:
    """The identity of something that came without one: the same content gives the same identity."""
    return uuid5(_NAMESPACE, text)
