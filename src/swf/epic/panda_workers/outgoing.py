"""What PanDA workers, their transceiver and iDDS read: an envelope with the message's own fields in `content`.

Pure functions from our messages to theirs. Read from the sources of the workers and their transceiver, and tried with
real workers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from swf.core.codec import encode
from swf.core.messages import Body, Envelope
from swf.core.times import rfc3339
from swf.epic.messages import EndRun, RunImminent, Slice
from swf.epic.panda_workers.messages import RunImminentWorker, StopTransformer
from swf.epic.settings_panda import PandaWorkersSection
from swf.epic.settings_processing import FastProcessingSection
from swf.messaging.turn import Form

_NOTICE_LIFETIME_S: Final = 12 * 3600.0
"""What is said of a run is of no use to anybody the day after."""

_VO: Final = "eic"


def slice_form(section: PandaWorkersSection) -> Form:
    """How a slice is put. It lives as long as it is waited for, so that no worker begins what was given up."""
    options = section.options()

    def write(envelope: Envelope, body: Body) -> str:
        assert isinstance(body, Slice)
        return _written(envelope, body, slice_content(body) | options)

    return _form(write, section.lease_s)


def slice_content(body: Slice) -> dict[str, Any]:
    """What a worker reads of a slice; `start` to `end` are entries of the STF, both included."""
    return {
        "run_id": str(body.run_id),
        "execution_id": body.execution_id,
        "req_id": str(body.req_id),
        "filename": body.filename,
        "tf_filename": body.tf_filename,
        "slice_id": body.slice_id,
        "start": body.start,
        "end": body.end,
        "tf_count": body.tf_count,
        "state": "queued",
        "substate": "new",
        "attempt": body.attempt,
    }


def workers_wanted(notice: RunImminent, plan: FastProcessingSection) -> RunImminentWorker:
    """What a run asks of the workers: as its DAQ says, and where that says nothing, as it is configured here."""
    said = notice.workflow_params
    wanted = said.get("target_worker_count")
    count = wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and 0 < wanted < 2**31 else None
    return RunImminentWorker(
        run_id=notice.run_id,
        execution_id=notice.execution_id,
        notice=notice.model_dump(mode="json"),
        target_worker_count=count or plan.target_worker_count,
        slice_processing_time=_seconds(said, "slice_processing_time", plan.slice_processing_time),
        worker_rampup_time=_seconds(said, "worker_rampup_time", plan.worker_rampup_time),
        worker_rampdown_time=_seconds(said, "worker_rampdown_time", plan.worker_rampdown_time),
    )


def _seconds(said: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = said.get(name)
    believable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 2**31
    return float(value) if believable and value is not None else otherwise


def _write_workers_wanted(envelope: Envelope, body: Body) -> str:
    assert isinstance(body, RunImminentWorker)
    plan = body.model_dump(mode="json", exclude={"notice", "run_id"})
    return _written(envelope, body, {**body.notice, **plan, "core_count": body.target_worker_count})


def _write_end_run(envelope: Envelope, body: Body) -> str:
    assert isinstance(body, EndRun)
    return _written(envelope, body, json.loads(encode(envelope, body)))


def _write_stop(envelope: Envelope, body: Body) -> str:
    assert isinstance(body, StopTransformer)
    # A worker compares it with the number that it was started with, and does not stop where this is a text.
    return _written(envelope, body, {"requested_at": rfc3339(envelope.created_at)}, run_id=body.run_id)


def _written(envelope: Envelope, body: Body, content: Mapping[str, Any], run_id: str | int | None = None) -> str:
    fields = {
        "msg_type": body.msg_type,
        "run_id": str(body.run_id) if run_id is None else run_id,
        "created_at": rfc3339(envelope.created_at),
        "content": content,
        "sender": envelope.sender,
        "namespace": envelope.namespace,
    }
    return json.dumps(fields, separators=(",", ":"))


def _form(write: Callable[[Envelope, Body], str], lifetime_s: float) -> Form:
    # `ttl` is what iDDS reads; the broker goes by the header that it makes of the lifetime.
    headers = {"vo": _VO, "ttl": str(int(lifetime_s * 1000))}
    return Form(encode=write, headers=headers, lifetime_s=lifetime_s)


WORKERS_WANTED: Final = _form(_write_workers_wanted, _NOTICE_LIFETIME_S)
"""How a `RunImminentWorker` is put."""
END_RUN: Final = _form(_write_end_run, _NOTICE_LIFETIME_S)
"""How the end of a run is put."""
STOP_TRANSFORMER: Final = _form(_write_stop, _NOTICE_LIFETIME_S)
"""How a `StopTransformer` is put."""
