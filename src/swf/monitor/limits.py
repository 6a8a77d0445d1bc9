"""How often something may happen: buckets that fill at a steady rate, one for each who asks."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from swf.core.times import Clock

_MOST_KEYS: Final = 20_000
"""So many who ask are kept in mind; of more, those are forgotten who have not asked for longest."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """One bucket per key: each takes `cost` out of its own, and waits where there is not enough.

    Args:
        rate: what comes in per second.
        burst: what a bucket holds.
        clock: tells how much has come in.
    """

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, key: str, cost: float = 1.0) -> float:
        """Take `cost` out; 0 where it was there. Else nothing is taken, and these are the seconds until it will be."""
        bucket = self._filled(key)
        if bucket.left >= cost:
            bucket.left -= cost
            return 0.0
        return (cost - bucket.left) / self._rate

    def lacking_s(self, key: str, cost: float = 1.0) -> float:
        """The seconds until `cost` will be there; takes nothing."""
        return max(0.0, cost - self._filled(key).left) / self._rate

    def charge(self, key: str, cost: float) -> None:
        """Take `cost` out afterwards, down to nothing."""
        bucket = self._filled(key)
        bucket.left = max(0.0, bucket.left - cost)

    def _filled(self, key: str) -> _Bucket:
        now = self._clock.monotonic()
        bucket = self._buckets.pop(key, None) or _Bucket(left=self._burst, at=now)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        self._buckets[key] = bucket
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        return bucket
