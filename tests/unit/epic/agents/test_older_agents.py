"""What becomes of what older agents say: their runs are taken in, and the rest is left with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from epic_bench import EpicBench
from hostile import HOSTILE
from older_messages import EXECUTION, RUN, SENDER, OlderDaq, stf_ready, tf_file_registered
from swf.epic.accounting import ledger_of
from swf.epic.messages import EPIC_TOPIC
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.messaging.bus import Wire
from swf.service.executions import request_stop
from swf.store.models import DeadLetter, Event, Run, WorkflowExecution

SLICES = 3


@pytest.fixture
def bench(store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    settings: dict[str, object] = {"legacy__time_zone": "UTC", "fast_processing__slices_per_sample": SLICES}
    with EpicBench(tmp_path, legacy__enabled=True, **settings) as bench:
        yield bench


def say(bench: EpicBench, *messages: dict[str, Any] | str | bytes) -> None:
    """Publish as an older agent does: the bus learns nothing but the text."""
    for number, message in enumerate(messages):
        text = json.dumps(message) if isinstance(message, dict) else message
        wire = Wire(
            message_id=UUID(int=(1 << 90) + number),
            namespace=bench.namespace,
            destination=EPIC_TOPIC,
            msg_type="",
            run_number=None,
            body=text,  # type: ignore[arg-type]
        )
        bench.bus.publish([wire])
    bench.run()


def letters() -> list[tuple[str, str]]:
    return list(DeadLetter.objects.order_by("id").values_list("role", "reason"))


def test_a_run_of_an_older_daq_is_taken_in_and_processed_to_its_end(bench: EpicBench) -> None:
    say(bench, *OlderDaq(bench.namespace).whole_run(3))
    run = Run.objects.get()
    assert (run.run_number, run.execution_id, run.total_stf_files) == (RUN, EXECUTION, 3)
    assert run.closed_at is not None
    execution = WorkflowExecution.objects.get()
    assert (execution.pk, execution.executed_by, execution.run_number) == (EXECUTION, SENDER, RUN)
    assert (execution.status, execution.status_reason) == ("completed", f"begun elsewhere, by {SENDER}")
    assert execution.parameter_values["fast_processing"]["slices_per_sample"] == SLICES
    ledger = ledger_of(RUN)
    assert ledger.complete
    assert ledger.produced == 3
    assert TfSlice.objects.filter(status="completed").count() == 3 * SLICES
    assert (RunState.objects.get().phase, letters()) == ("completed", [])
    assert Event.objects.filter(type="execution_adopted").count() == 1


def test_a_run_whose_daq_went_away_ends_when_somebody_stops_it(bench: EpicBench) -> None:
    say(bench, *OlderDaq(bench.namespace).whole_run(3)[:-1])
    assert Run.objects.get().end_time is None
    request_stop(WorkflowExecution.objects.get(), "bob", "its DAQ is gone")
    bench.run()
    run, execution = Run.objects.get(), WorkflowExecution.objects.get()
    assert (run.total_stf_files, run.ended_by, RunState.objects.get().phase) == (3, "bob", "completed")
    assert run.closed_at is not None
    assert (execution.status, execution.status_reason) == ("stopped", "its DAQ is gone")
    assert ledger_of(RUN).complete


def test_a_run_of_ours_is_ended_by_its_own_daq_alone(bench: EpicBench) -> None:
    ours = bench.daq()
    bench.send(ours.imminent(), ours.start(), ours.stf(1))
    request_stop(WorkflowExecution.objects.get(), "bob", "enough")
    bench.run()
    assert Run.objects.get().end_time is None


def test_messages_that_come_twice_and_in_any_order_change_nothing(bench: EpicBench) -> None:
    notices = OlderDaq(bench.namespace).whole_run(3)
    say(bench, *reversed(notices), *notices)
    assert ledger_of(RUN).complete
    assert WorkflowExecution.objects.count() == StfFile.objects.count() - 2 == 1
    assert letters() == []


def test_a_daq_that_names_no_execution_gets_one_for_its_run(bench: EpicBench) -> None:
    say(bench, *OlderDaq(bench.namespace, run=5, execution=None).whole_run(1))
    assert Run.objects.get().execution_id == WorkflowExecution.objects.get().pk == "fast_processing-older-5"
    assert ledger_of(5).complete


def test_a_run_that_another_execution_has_is_not_touched(bench: EpicBench) -> None:
    ours = bench.daq()
    bench.send(ours.imminent(), ours.start(), ours.stf(1))
    bench.run()
    theirs = OlderDaq(bench.namespace, run=ours.run)
    say(bench, theirs.stf(2), theirs.end(7))
    assert Run.objects.get().end_time is None
    assert StfFile.objects.count() == 1
    begins = f"{SENDER} announces run {ours.run} of {EXECUTION}, but that run is of fast_processing-ann"
    assert [(role, reason.startswith(begins)) for role, reason in letters()] == [("data", True)] * 2


def test_a_run_of_ours_is_not_taken_in(bench: EpicBench) -> None:
    bench.send(bench.daq(run=77, execution_id="fast_processing-eve-0001").imminent())
    bench.run()
    assert not Run.objects.filter(pk=77).exists()
    ((_, reason),) = letters()
    assert reason == "run 77 belongs to no execution that is known here"


def test_an_older_data_agent_beside_ours_changes_nothing(bench: EpicBench) -> None:
    daq = OlderDaq(bench.namespace)
    notices = daq.whole_run(2)
    say(bench, *notices, *(stf_ready(each) for each in notices if each["msg_type"] == "stf_gen"))
    assert ledger_of(RUN).complete
    assert FastMonFile.objects.count() == 2
    assert letters() == []


def test_what_an_older_data_agent_says_once_per_run_is_passed_over(bench: EpicBench) -> None:
    say(bench, {"msg_type": "stf_ready", "req_id": 1, "run_id": str(RUN), "namespace": bench.namespace})
    assert letters() == []
    assert not Run.objects.exists()


def test_samples_of_an_older_fastmon_are_left_with_a_reason(bench: EpicBench) -> None:
    daq = OlderDaq(bench.namespace)
    notices = daq.whole_run(1)
    (stf,) = (each for each in notices if each["msg_type"] == "stf_gen")
    say(bench, *notices, tf_file_registered(stf, 7))
    assert ledger_of(RUN).complete
    ((role, reason),) = letters()
    assert role == "fast_processing"
    assert reason == f"swf.{RUN}.000001_tf_007.tf is announced but is not registered (yet)"
    assert DeadLetter.objects.get().state == "parked"


def test_hostile_messages_are_left_with_a_reason_and_end_nobody(bench: EpicBench) -> None:
    hostile = [each.payload for each in HOSTILE if each.name != "no schema"]
    say(bench, *hostile)
    assert {letter.error for letter in DeadLetter.objects.all()} <= {
        "MalformedMessageError",
        "UnknownTypeError",
        "NewerSchemaError",
    }
    assert all(reason for _, reason in letters())
    say(bench, *OlderDaq(bench.namespace).whole_run(1))
    assert ledger_of(RUN).complete


def test_where_nobody_asked_for_it_they_are_left_with_a_reason(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, roles=("data",)) as bench:
        say(bench, OlderDaq(bench.namespace).imminent())
        ((_, reason),) = letters()
        assert reason == "the message lacks created_at, message_id, schema, sender_seq"
        assert not Run.objects.exists()
