"""Rows of the event log for tests."""

from __future__ import annotations

from typing import Any

from swf.core.times import SystemClock
from swf.store import events
from swf.store.sequencer import Sequencer


def event_row(subject: str, **fields: Any) -> dict[str, Any]:
    """A row, as writers of the log give it."""
    plain = {
        "kind": "transition",
        "type": "claim",
        "namespace": "testbed",
        "run_number": None,
        "execution_id": "",
        "sender": "worker-agent-ann-1",
        "subject": subject,
        "created_at": SystemClock().now(),
        "body": '{"from": "queued", "to": "processing"}',
    }
    return plain | fields


def write(*rows: dict[str, Any]) -> None:
    """Add rows to the log, with their numbers."""
    events.append(rows)
    Sequencer(SystemClock(), wake_interval_s=0.0).drain()
