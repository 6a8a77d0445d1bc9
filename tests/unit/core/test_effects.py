"""Effect boundaries."""

from __future__ import annotations

from swf.core.effects import no_boundary, prefixed


def test_boundaries_are_told_under_the_name_of_their_agent() -> None:
    reached: list[str] = []
    boundary = prefixed("worker", prefixed("payload", reached.append))
    boundary("after_commit")
    assert reached == ["payload.worker.after_commit"]
    no_boundary("after_commit")
    assert len(reached) == 1
