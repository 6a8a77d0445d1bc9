"""What PanDA workers send, field by field as real ones do."""

from __future__ import annotations

from typing import Any

SLICE: dict[str, Any] = {
    "run_id": "102001",
    "execution_id": "fast_processing-ann-0007",
    "req_id": "0b3c7a8e-6c1f-4b7e-9f5d-0a1b2c3d4e5f",
    "filename": "swf.102001.000003.stf",
    "tf_filename": "swf.102001.000003_slice_009.tf",
    "slice_id": 9,
    "start": 944,
    "end": 945,
    "tf_count": 2,
    "state": "queued",
    "substate": "new",
}
"""The content of a slice as older agents send it."""


def panda_result(
    slice_: dict[str, Any] | None,
    *,
    done: bool = True,
    error: str | None = None,
    requested_at: object = "2026-07-01T11:00:00.000001Z",
    run_id: object = "102001",
    job: object = "6543",
    **changes: Any,
) -> dict[str, Any]:
    """A worker's message about a slice that it was given; of a failure it repeats nothing but the instant."""
    made = {"processed": True, "actual_processing_time": 19.5, "output_file": "/out/a.root"}
    return {
        "msg_type": "slice_result",
        "run_id": run_id,
        "created_at": "2026-07-01T11:00:31.5",
        "content": {
            "requested_at": requested_at,
            "processing_start_at": "2026-07-01T11:00:10.500000",
            "processed_at": "2026-07-01T11:00:30.500000",
            "state": "done" if done else "failed",
            "hostname": "wn7.example.org",
            "panda_server_url": None,
            "panda_task_id": "21",
            "panda_id": job,
            "harvester_id": None,
            "result": {"state": done, "result": {**slice_, **made} if slice_ and done else None, "error": error},
        },
        **changes,
    }


HEARTBEAT: dict[str, Any] = {
    "msg_type": "heartbeat",
    "internal_id": "torre1.ResultPublisher.wn7.0a1b2c3d",
    "namespace": "torre1",
    "timestamp": 1782903631.5,
}
"""What a worker publishes beside its results, every 30 s."""
