"""Pools by payload: a worker takes work of several runs, and each run has its own payload."""

from __future__ import annotations

from collections.abc import Callable

from swf.core.payload import PayloadJob, PayloadResult, PayloadSpec
from swf.workload.port import Pool

PoolMaker = Callable[[PayloadSpec, int], Pool]
"""Opens a pool for a payload; the number is another one for each pool that this process opens."""


class Shelf:
    """Opens a pool when the first job for its payload comes, and closes it when others work and it has nothing to do.

    How many payloads run at one time is decided by who submits: one pool is as large as all may be together.
    """

    def __init__(self, make: PoolMaker) -> None:
        self._make = make
        self._opened = 0
        self._pools: dict[PayloadSpec, Pool] = {}
        self._left: list[PayloadResult] = []
        """Results of pools that were closed."""
        self._closed = False

    def submit(self, spec: PayloadSpec, job: PayloadJob) -> None:
        """Run a job.

        Raises:
            ConfigError: the payload cannot be run as it is specified.
            BusyError, PayloadError: as `Pool.submit`.
        """
        pool = self._pools.get(spec)
        if pool is None:
            self._tidy()
            pool = self._pools[spec] = self._make(spec, self._opened)
            self._opened += 1
        pool.submit(job)

    def take(self) -> list[PayloadResult]:
        """The results that wait; each is given once.

        Raises:
            PayloadError: as `Pool.take`.
        """
        left, self._left = self._left, []
        return left + [result for pool in self._pools.values() for result in pool.take()]

    def running(self) -> int:
        """How many payloads run now."""
        return sum(pool.running() for pool in self._pools.values())

    def close(self, grace_s: float) -> list[PayloadJob]:
        """End everything, running payloads after at most `grace_s` seconds; what was not finished comes back. Results
        that wait can still be taken. A second call does nothing."""
        if self._closed:
            return []
        self._closed = True
        return [job for pool in self._pools.values() for job in pool.close(grace_s)]

    def _tidy(self) -> None:
        """Close pools that have nothing to do, before another one is opened."""
        for spec, pool in list(self._pools.items()):
            if not (pool.running() or pool.queued()):
                pool.close(0.0)
                self._left += pool.take()
                del self._pools[spec]
