"""The port: what runs payloads, whatever runs them."""

from __future__ import annotations

from typing import Protocol

from swf.core.payload import PayloadJob, PayloadResult


class Pool(Protocol):
    """Runs payloads and hands back how each ended. No method waits for a payload, save `close`."""

    def submit(self, job: PayloadJob) -> None:
        """Take a job; jobs start in the order of their submission.

        Raises:
            BusyError: an attempt with this key is queued or running.
            PayloadError: the pool is closed.
        """
        ...

    def prewarm(self) -> None:
        """Start what can be started ahead of the first jobs."""
        ...

    def take(self) -> list[PayloadResult]:
        """The results that wait, in the order of their ending; each is given once. Never blocks.

        Raises:
            PayloadError: no more results will come, because the pool itself failed.
        """
        ...

    def running(self) -> int:
        """How many payloads run now."""
        ...

    def queued(self) -> int:
        """How many jobs wait for their start."""
        ...

    def cancel(self, key: str) -> bool:
        """End an attempt whose result is no longer wanted; its result will be `cancelled`.

        False if no such attempt is queued or running.
        """
        ...

    def close(self, grace_s: float) -> list[PayloadJob]:
        """End everything, running payloads after at most `grace_s` seconds; what was not finished comes back.

        Results that wait can still be taken. A second call does nothing.
        """
        ...
