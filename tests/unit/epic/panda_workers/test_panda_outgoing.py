"""What PanDA workers and those who manage them are sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from panda_messages import SLICE
from swf.core.errors import ConfigError
from swf.core.messages import Body, Envelope
from swf.epic.messages import EndRun, RunImminent, Slice
from swf.epic.panda_workers.messages import StopTransformer
from swf.epic.panda_workers.outgoing import END_RUN, STOP_TRANSFORMER, WORKERS_WANTED, slice_form, workers_wanted
from swf.epic.settings_panda import PandaWorkersSection
from swf.epic.settings_processing import FastProcessingSection
from swf.messaging.turn import Form

ENVELOPE = Envelope(
    message_id=UUID(int=1),
    namespace="torre1",
    sender="fast_processing-agent-ann-4",
    sender_seq=7,
    created_at=datetime(2026, 7, 1, 11, 0, 0, 1, tzinfo=UTC),
)
OF_ALL = {
    "run_id": "102001",
    "created_at": "2026-07-01T11:00:00.000001Z",
    "sender": "fast_processing-agent-ann-4",
    "namespace": "torre1",
}
REQUEST = Slice(
    run_id=102001,
    execution_id="fast_processing-ann-0007",
    state="run",
    substate="physics",
    slice_id=9,
    tf_filename=SLICE["tf_filename"],
    filename=SLICE["filename"],
    start=944,
    end=945,
    tf_count=2,
    req_id=UUID(SLICE["req_id"]),
    attempt=2,
)
NOTICE = RunImminent(
    run_id=102001,
    execution_id="fast_processing-ann-0007",
    state="beam",
    substate="not_ready",
    simulation_tick=5.0,
    workflow_params={"target_worker_count": 12, "slice_processing_time": 30, "worker_rampup_time": 300.0},
)


def written(form: Form, body: Body) -> dict[str, Any]:
    fields = json.loads(form.encode(ENVELOPE, body))
    assert isinstance(fields, dict)
    return fields


def test_a_slice_says_what_workers_know_of_slices() -> None:
    form = slice_form(PandaWorkersSection(lease_s=60.0))
    assert written(form, REQUEST) == {"msg_type": "slice", **OF_ALL, "content": {**SLICE, "attempt": 2}}
    assert form.headers == {"vo": "eic", "ttl": "60000"}
    assert form.lifetime_s == 60.0


def test_a_slice_can_say_more_to_the_workers() -> None:
    options = ("file_type=fake", "slice_processing_time=1.5", "epic_version=25.10.1", "dest_path=", "x=NaN")
    said = written(slice_form(PandaWorkersSection(slice_options=options)), REQUEST)["content"]
    more = {name: value for name, value in said.items() if name not in {*SLICE, "attempt"}}
    expected = {"file_type": "fake", "slice_processing_time": 1.5, "epic_version": "25.10.1", "dest_path": ""}
    assert more == {**expected, "x": "NaN"}


@pytest.mark.parametrize("option", ["file_type", "=fake", "file type=fake", "req_id=1", "substate=new", "start=0"])
def test_what_is_no_further_field_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=r"is no further field of a slice: expected name=value"):
        slice_form(PandaWorkersSection(slice_options=(option,)))


def test_workers_are_asked_for_with_the_notice_and_the_plan() -> None:
    body = workers_wanted(NOTICE, FastProcessingSection(worker_rampdown_time=61.0))
    said = written(WORKERS_WANTED, body)
    content = said.pop("content")
    assert said == {"msg_type": "run_imminent_worker", **OF_ALL}
    expected = {
        "run_id": "102001",
        "execution_id": "fast_processing-ann-0007",
        "state": "beam",
        "substate": "not_ready",
        "simulation_tick": 5.0,
        "core_count": 12,
        "target_worker_count": 12,
        "slice_processing_time": 30.0,
        "worker_rampup_time": 300.0,
        "worker_rampdown_time": 61.0,
    }
    assert {name: content[name] for name in expected} == expected


@pytest.mark.parametrize("nonsense", [0, -3, True, "many", None, 2**40, [3]])
def test_a_plan_that_makes_no_sense_is_the_configured_one(nonsense: object) -> None:
    notice = NOTICE.model_copy(
        update={"workflow_params": {"target_worker_count": nonsense, "slice_processing_time": "x"}}
    )
    body = workers_wanted(notice, FastProcessingSection(target_worker_count=7, slice_processing_time=9.0))
    assert (body.target_worker_count, body.slice_processing_time) == (7, 9.0)


def test_the_end_of_a_run_is_told_to_the_managers_and_to_the_workers() -> None:
    end = EndRun(run_id=102001, execution_id="fast_processing-ann-0007", total_stf_files=10)
    said = written(END_RUN, end)
    content = said.pop("content")
    assert said == {"msg_type": "end_run", **OF_ALL}
    assert (content["execution_id"], content["total_stf_files"]) == ("fast_processing-ann-0007", 10)
    # Workers compare it with the number that they were started with.
    stop = written(STOP_TRANSFORMER, StopTransformer(run_id=102001))
    assert stop == {
        "msg_type": "stop_transformer",
        **OF_ALL,
        "run_id": 102001,
        "content": {"requested_at": "2026-07-01T11:00:00.000001Z"},
    }
    assert WORKERS_WANTED.headers == END_RUN.headers == STOP_TRANSFORMER.headers == {"vo": "eic", "ttl": "43200000"}
