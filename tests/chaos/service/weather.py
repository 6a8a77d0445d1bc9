"""What networks do to connections, one thing after the other, at random moments of a run."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from services.tcp_proxy import TcpProxy


def _latency(proxy: TcpProxy, rng: random.Random) -> None:
    proxy.delay_s = 1.0


def _slow(proxy: TcpProxy, rng: random.Random) -> None:
    proxy.bytes_per_s = 10_000


def _reset(proxy: TcpProxy, rng: random.Random) -> None:
    proxy.cut()


def _half_open(proxy: TcpProxy, rng: random.Random) -> None:
    proxy.stall()


def _sliced(proxy: TcpProxy, rng: random.Random) -> None:
    proxy.slice_bytes = rng.randint(1, 7)


def _cut_within(proxy: TcpProxy, rng: random.Random) -> None:
    proxy.cut_after = rng.randint(1, 2000)


WEATHER: Final[Mapping[str, tuple[Callable[[TcpProxy, random.Random], None], float]]] = {
    "latency of 1 s": (_latency, 4.0),
    "10 kB/s": (_slow, 3.0),
    "reset": (_reset, 0.0),
    "half-open": (_half_open, 4.0),
    "sliced into bytes": (_sliced, 2.0),
    "cut in the midst of a frame": (_cut_within, 0.5),
}
"""What happens, and for how many seconds."""


class Weather:
    """Lets each kind of trouble come over a wire, in random order, when so much of the run is done.

    Call `look` with the share of the run that is done. What lasts ends by itself, on a thread of its own: who is held
    up by it cannot end it.
    """

    def __init__(self, proxy: TcpProxy, rng: random.Random) -> None:
        self._proxy = proxy
        self._rng = rng
        names = list(WEATHER)
        rng.shuffle(names)
        self._to_come = sorted(zip((rng.uniform(0.05, 0.9) for _ in names), names, strict=True), reverse=True)
        self._timer: threading.Timer | None = None
        self.past: list[str] = []
        """What has come over the wire so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        self._calm()

    def look(self, share: float) -> None:
        """So much of the run is done, from 0 to 1."""
        if not self._to_come or share < self._to_come[-1][0] or (self._timer is not None and self._timer.is_alive()):
            return
        _, name = self._to_come.pop()
        act, lasts_s = WEATHER[name]
        self.past.append(name)
        act(self._proxy, self._rng)
        self._timer = threading.Timer(lasts_s, self._calm)
        self._timer.start()

    def _calm(self) -> None:
        self._proxy.delay_s, self._proxy.bytes_per_s = 0.0, None
        self._proxy.slice_bytes, self._proxy.cut_after = 65536, None
        self._proxy.flow()
