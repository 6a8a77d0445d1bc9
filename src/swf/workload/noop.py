"""A payload that does nothing, to measure what everything around a payload costs."""

from __future__ import annotations

from swf.core.payload import PayloadJob, PayloadSpec

NOOP = PayloadSpec(name="noop", entry_point="swf.workload.noop:run", expects_output=False)
"""How to run it: no output is expected."""


def run(job: PayloadJob) -> dict[str, object]:
    """Write nothing; the summary is the number of entries that were asked for."""
    return {"entries": job.last - job.first + 1}
