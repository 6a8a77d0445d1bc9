"""When each STF and each slice of a run was where, read from the rows that they left.

The database keeps when it committed a row's transaction (`track_commit_timestamp`), and the rows of the inbox are never
changed: so a row there tells the instant at which the effects of a message were safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_GENERATED: Final = """
SELECT subject, extract(epoch FROM created_at)::float8 FROM store_event
WHERE type = 'stf_gen' AND run_number = %s
"""

_TAKEN: Final = """
SELECT event.subject, extract(epoch FROM pg_xact_commit_timestamp(inbox.xmin))::float8
FROM store_event AS event JOIN store_inboxentry AS inbox ON inbox.message_id = event.message_id AND inbox.role = %s
WHERE event.type = %s AND event.run_number = %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instants:
    """Seconds since the epoch, by name."""

    generated: dict[str, float]
    """Per STF: when the DAQ's transaction began that announces it."""
    queued: dict[str, float]
    """Per STF: the commit of the transaction that queues its slices."""
    claimed: dict[str, float]
    """Per slice: the commit of its claim by a worker."""
    done: dict[str, float]
    """Per slice: the commit of the transaction that takes its result."""

    def to_queued(self) -> list[float]:
        """Seconds from stf_gen to slices that are queued, in the order of stf_gen."""
        return [self.queued[stf] - self.generated[stf] for stf in self._stfs()]

    def to_claimed(self) -> list[float]:
        """Seconds from stf_gen to the claim of the last slice, in the order of stf_gen."""
        last: dict[str, float] = {}
        for name, at in self.claimed.items():
            stf = _stf_of(name)
            last[stf] = max(at, last.get(stf, 0.0))
        return [last[stf] - self.generated[stf] for stf in self._stfs()]

    def to_done(self) -> list[float]:
        """Seconds from a slice being queued to its result being taken, in the order of queueing."""
        return [seconds for _, seconds in self.of_slices(self.done)]

    def of_slices(self, until: Mapping[str, float]) -> list[tuple[float, float]]:
        """When each slice was queued, and the seconds until then, in the order of queueing."""
        return sorted((self.queued[_stf_of(name)], at - self.queued[_stf_of(name)]) for name, at in until.items())

    @property
    def stf_per_s(self) -> float:
        """The rate at which the DAQ announced STFs."""
        times = sorted(self.generated.values())
        return (len(times) - 1) / (times[-1] - times[0])

    @property
    def drained_s(self) -> float:
        """From the last stf_gen to the last result."""
        return max(self.done.values()) - max(self.generated.values())

    def _stfs(self) -> list[str]:
        return sorted(self.generated, key=lambda name: self.generated[name])


def instants(run: int) -> Instants:
    """The instants of a run."""
    return Instants(
        generated=_named(_GENERATED, [run]),
        queued={
            _stf_of(name): at for name, at in _named(_TAKEN, ["fast_processing", "tf_file_registered", run]).items()
        },
        claimed=_named(_TAKEN, ["worker", "slice", run]),
        done=_named(_TAKEN, ["fast_processing", "slice_result", run]),
    )


def _stf_of(name: str) -> str:
    """The STF of a sample file or slice."""
    return f"{name.partition('_')[0]}.stf"


def _named(statement: str, parameters: list[Any]) -> dict[str, float]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return dict(cursor.fetchall())
