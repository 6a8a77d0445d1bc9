"""Explanations: each state is told apart, with its cause and what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from swf.core.errors import UnknownNameError
from swf.core.scene import Scene, only
from swf.core.work import WorkState
from swf.epic.names import slice_name, stf_name, tf_sample_name
from swf.epic.usecases.explain import explain
from swf.epic.usecases.explanation import Explanation
from swf.store.models import Alarm, Dataset, DatasetFile, Product
from taken_run import EXECUTION, NOW, RUN, TakenRun

pytestmark = pytest.mark.usefixtures("store")

ALIVE = Scene(now=NOW, process=4321)
ALONE = Scene(now=NOW, process=None)
STF = stf_name(RUN, 1)
SAMPLE = tf_sample_name(STF, 1)
SLICE = slice_name(STF, 0)


@pytest.fixture
def run(store: Path) -> TakenRun:
    taken = TakenRun()
    taken.started()
    return taken


def why(explanation: Explanation) -> str:
    return " ".join(explanation.why)


class TestSlices:
    def slice(self, run: TakenRun, status: str, **fields: object) -> Explanation:
        stf = run.stf(1, slice_count=2)
        run.slice(run.sample(stf), 0, status, **fields)
        return explain(SLICE, ALIVE)

    def test_queued_waits_for_a_worker(self, run: TakenRun) -> None:
        run.agent("worker", 5)
        explained = self.slice(run, WorkState.QUEUED)
        assert explained.state == "queued"
        assert "has not begun: it waits for worker, queued 30 s ago" in why(explained)
        assert "worker-agent-me-5, last heartbeat 4 s ago" in why(explained)
        assert explained.next == ()

    def test_queued_with_workers_outside(self, run: TakenRun) -> None:
        until = NOW + timedelta(seconds=60)
        words = why(self.slice(run, WorkState.QUEUED, lease_holder="panda", lease_until=until))
        assert "has not begun" in words
        assert "It was handed out to panda, 10 s ago; how far it is there is not known." in words
        assert f"If no answer comes before {until:%H:%M:%S} UTC, it is handed out again." in words
        assert "agent of role worker" not in words

    def test_queued_with_workers_outside_who_did_not_answer(self, run: TakenRun) -> None:
        late = {"lease_holder": "panda", "lease_until": NOW - timedelta(seconds=2), "attempt": 1, "retries": 1}
        words = why(self.slice(run, WorkState.QUEUED, reason="crashed: no such image", **late))
        assert "Attempt 1 at its processing did not succeed: crashed: no such image." in words
        assert "No answer came in time, 2 s ago: it is about to be handed out again." in words

    def test_queued_says_how_many_are_before_it(self, run: TakenRun) -> None:
        stf = run.stf(2, slice_count=2)
        sample = run.sample(stf)
        for index in range(2):
            run.slice(sample, index, WorkState.QUEUED)
        assert "2 are before it in the queue" in why(self.slice(run, WorkState.QUEUED))

    def test_queued_without_an_agent(self, run: TakenRun) -> None:
        assert "No agent of role worker has ever run" in why(self.slice(run, WorkState.QUEUED))

    def test_queued_where_the_execution_has_no_worker(self) -> None:
        taken = TakenRun()
        taken.started(
            parameter_values={"agents": {"worker": {"enabled": False}}},
            parameter_origins={"agents.worker.enabled": "flag --set agents.worker.enabled"},
        )
        explained = self.slice(taken, WorkState.QUEUED)
        assert "started without an agent of role worker: agents.worker.enabled = false (flag --set" in why(explained)

    def test_queued_again_after_a_failure(self, run: TakenRun) -> None:
        explained = self.slice(run, WorkState.QUEUED, attempt=2, retries=2, reason="crashed: it ended with exit code 3")
        assert "Attempt 2 at its processing did not succeed: crashed: it ended with exit code 3" in why(explained)
        assert "2 of 3 retries are used" in why(explained)

    def test_handed_back(self, run: TakenRun) -> None:
        explained = self.slice(run, WorkState.QUEUED, attempt=1, reason="handed back by a worker that stops")
        assert "handed back after attempt 1: handed back by a worker that stops" in why(explained)

    def test_processing(self, run: TakenRun) -> None:
        explained = self.slice(run, WorkState.PROCESSING, lease_until=NOW + timedelta(minutes=10))
        assert explained.state == "processing"
        assert "attempt 1, held by worker-agent-me-5 since 11:59:50 UTC (10 s ago)" in why(explained)
        assert "nothing is heard of it before 12:10:00 UTC" in why(explained)

    def test_processing_with_a_lease_that_ran_out(self, run: TakenRun) -> None:
        explained = self.slice(run, WorkState.PROCESSING, lease_until=NOW - timedelta(seconds=5))
        assert "lease ran out 5 s ago" in why(explained)

    def test_processing_by_nobody(self, run: TakenRun) -> None:
        self.slice(run, WorkState.PROCESSING, lease_until=NOW + timedelta(minutes=10))
        explained = explain(SLICE, ALONE)
        assert "no process runs it: it was ended without notice" in why(explained)
        assert "Its holder does not run" in why(explained)
        assert explained.next == (f"testbed run --resume {EXECUTION}",)

    def test_failed_for_good(self, run: TakenRun) -> None:
        for number in range(1, 5):
            run.attempt(SLICE, number, exit_code=3, stderr_tail="oh no")
        explained = self.slice(run, WorkState.FAILED, attempt=4, retries=3, reason="crashed: it ended with exit code 3")
        assert explained.state == "failed"
        assert "failed in attempt 4: crashed" in why(explained)
        assert "No retry is left: 3 of 3 were used" in why(explained)
        assert [(a.attempt, a.exit_code, a.stderr_tail) for a in explained.attempts][-1] == (4, 3, "oh no")
        assert f"testbed runs ledger {RUN}" in explained.next

    def test_failed_where_trying_again_cannot_help(self, run: TakenRun) -> None:
        explained = self.slice(run, WorkState.FAILED, reason="truncated")
        assert "Trying again cannot help" in why(explained)

    def test_expired_is_not_failed(self, run: TakenRun) -> None:
        explained = self.slice(run, WorkState.EXPIRED)
        assert explained.state == "expired"
        assert "deadline passed before it was done" in why(explained)
        assert "failed" not in why(explained)

    def test_cancelled(self, run: TakenRun) -> None:
        assert "was cancelled: the run was given up" in why(
            self.slice(run, WorkState.CANCELLED, reason="the run was given up")
        )

    def test_completed(self, run: TakenRun) -> None:
        explained = self.slice(run, WorkState.COMPLETED)
        assert explained.what.startswith("SIMULATED slice 0 of 2")
        assert "25 hits found" in explained.what
        assert explained.next == ()

    def test_its_events_by_subject(self, run: TakenRun) -> None:
        run.event("slice", SLICE)
        run.event("claim", SLICE, message=False, **{"from": "queued", "to": "processing", "note": "n"})
        run.event("slice", "another")
        explained = self.slice(run, WorkState.PROCESSING)
        assert [(e.type, e.text) for e in explained.events] == [
            ("slice", "to /topic/epictopic"),
            ("claim", "queued to processing: n"),
        ]

    def test_not_made_yet(self, run: TakenRun) -> None:
        run.sample(run.stf(1), WorkState.QUEUED)
        explained = explain(SLICE, ALIVE)
        assert explained.state == "not_made"
        assert f"not made yet: {STF} is queued" in why(explained)

    def test_never_made_as_its_stf_is_not_sampled(self, run: TakenRun) -> None:
        run.stf(1, sample_count=0, slice_count=0)
        explained = explain(SLICE, ALIVE)
        assert explained.state == "not_required"

    def test_never_made_as_its_stf_failed(self, run: TakenRun) -> None:
        run.stf(1, WorkState.FAILED, reason="truncated")
        explained = explain(SLICE, ALIVE)
        assert explained.state == "cancelled"
        assert "truncated" in why(explained)

    def test_a_slice_beyond_the_last(self, run: TakenRun) -> None:
        run.processed_stf(1)
        with pytest.raises(UnknownNameError, match="has 2 slices"):
            explain(slice_name(STF, 2), ALIVE)


class TestSamples:
    def test_completed(self, run: TakenRun) -> None:
        run.processed_stf(1)
        explained = explain(SAMPLE, ALIVE)
        assert (explained.kind, explained.state) == ("sample", "completed")
        assert "50 hits" in explained.what

    def test_undecided(self, run: TakenRun) -> None:
        run.stf(1, sample_count=None)
        explained = explain(SAMPLE, ALIVE)
        assert explained.state == "not_made"
        assert "waits for the fastmon agent" in why(explained)

    def test_beyond_the_last(self, run: TakenRun) -> None:
        run.processed_stf(1)
        with pytest.raises(UnknownNameError, match="has 1 TF sample files"):
            explain(tf_sample_name(STF, 2), ALIVE)


class TestStfs:
    def test_processed(self, run: TakenRun) -> None:
        run.processed_stf(1)
        explained = explain(STF, ALIVE)
        assert explained.state == "completed"
        assert dict(explained.stages)["archived"] == "not_required"
        assert dict(explained.parts)["slices"] == {"completed": 2}
        assert explained.next == ()

    def test_waits_for_slicing(self, run: TakenRun) -> None:
        run.sample(run.stf(1))
        explained = explain(STF, ALIVE)
        assert explained.state == "queued"
        assert "waits for the fast_processing agent" in why(explained)

    def test_a_failed_slice_is_named(self, run: TakenRun) -> None:
        stf = run.stf(1, slice_count=1)
        run.slice(run.sample(stf), 0, WorkState.FAILED)
        explained = explain(STF, ALIVE)
        assert explained.state == "failed"
        assert f"testbed runs explain {SLICE}" in explained.next

    def test_not_sampled(self, run: TakenRun) -> None:
        run.stf(1, sample_count=0, slice_count=0)
        assert "Sampling: not required" in why(explain(STF, ALIVE))

    def test_not_announced_yet(self, run: TakenRun) -> None:
        explained = explain(STF, ALIVE)
        assert explained.state == "not_announced"
        assert "not announced yet" in why(explained)

    def test_missing_so_far(self, run: TakenRun) -> None:
        run.stf(2)
        explained = explain(STF, ALIVE)
        assert explained.state == "missing"
        assert "later STFs of its run are registered" in why(explained)

    def test_missing_never_announced(self, run: TakenRun) -> None:
        run.stf(2)
        run.ended(2)
        explained = explain(STF, ALIVE)
        assert explained.state == "missing"
        assert "never announced; it did not fail" in why(explained)

    def test_missing_as_its_message_is_a_dead_letter(self, run: TakenRun) -> None:
        run.event("stf_gen", STF)
        letter = run.letter(body=json.dumps({"filename": STF}))
        explained = explain(STF, ALIVE)
        assert explained.state == "missing"
        assert "the data agent has not registered it" in why(explained)
        assert f"as dead letter {letter.pk}" in why(explained)
        assert f"testbed dead-letters show {letter.pk}" in explained.next

    def test_beyond_the_last(self, run: TakenRun) -> None:
        run.ended(3)
        with pytest.raises(UnknownNameError, match="run 100010 has 3 STFs"):
            explain(stf_name(RUN, 4), ALIVE)

    def test_of_an_unknown_run(self, run: TakenRun) -> None:
        with pytest.raises(UnknownNameError, match="there is no run 100099"):
            explain(stf_name(100099, 1), ALIVE)


class TestRuns:
    def test_closed(self, run: TakenRun) -> None:
        run.processed_stf(1)
        run.ended(1, closed=True, by="somebody")
        explained = explain(str(RUN), ALIVE)
        assert explained.state == "closed"
        assert "the DAQ produced 1 STF, and each is accounted for; it was ended by somebody" in why(explained)
        assert explained.next == ()

    def test_what_it_waits_for(self, run: TakenRun) -> None:
        stf = run.stf(1, slice_count=2)
        sample = run.sample(stf)
        run.slice(sample, 0, WorkState.PROCESSING)
        run.slice(sample, 1, WorkState.QUEUED)
        run.ended(1)
        explained = explain(str(RUN), ALIVE)
        assert "It waits for processing of STFs (1 processing); slices (1 queued, 1 processing)." in explained.why

    def test_missing_stfs_are_named(self, run: TakenRun) -> None:
        run.stf(2, sample_count=0, slice_count=0)
        run.ended(3)
        explained = explain(str(RUN), ALIVE)
        assert f"2 of 3 STFs are missing: {STF}, {stf_name(RUN, 3)}" in why(explained)

    def test_what_is_lost_is_named(self, run: TakenRun) -> None:
        run.stf(1, WorkState.FAILED, reason="truncated")
        run.ended(1, closed=True)
        assert f"Not done, and not going to be: {STF} (failed at registered)" in why(explain(str(RUN), ALIVE))

    def test_why_it_is_paused(self, run: TakenRun) -> None:
        run.event("pause_run", reason="the exit buffer is full")
        from swf.epic.models import RunState

        RunState.objects.update(phase="standby")
        assert "The DAQ is paused: the exit buffer is full." in explain(str(RUN), ALIVE).why

    def test_letters_and_alarms(self, run: TakenRun) -> None:
        letter = run.letter("retrying", attempts=2)
        Alarm.objects.create(
            namespace="testbed", key="k", text="no progress", what_to_do="look", run_number=RUN, raised_at=NOW
        )
        explained = explain(str(RUN), ALIVE)
        assert f"tried again by itself (dead letter {letter.pk}, 2 attempts so far)" in why(explained)
        assert "Alarm: no progress." in explained.why
        assert "look" in explained.next

    def test_of_an_execution_that_has_just_begun(self) -> None:
        TakenRun().started(announced=False)
        explained = explain(str(RUN), ALIVE)
        assert explained.state == "not_announced"
        assert explained.next == ()

    def test_held_while_nobody_runs_it(self, run: TakenRun) -> None:
        assert "The DAQ was taking data; it is held." in explain(str(RUN), ALONE).why


class TestOthers:
    def test_a_paused_execution(self) -> None:
        TakenRun().started(status="paused", status_reason="interrupted by Ctrl-C")
        explained = explain(EXECUTION, ALONE)
        assert explained.state == "paused"
        assert "interrupted by Ctrl-C" in why(explained)
        assert explained.next[0] == f"testbed run --resume {EXECUTION}"

    def test_a_stop_that_is_not_carried_out(self) -> None:
        TakenRun().started(stop_requested_by="somebody", stop_reason="enough")
        assert "somebody asked to stop it: enough; not carried out yet." in explain(EXECUTION, ALIVE).why

    @pytest.mark.parametrize("name", ["group.daq:swf.100010.run", "swf.100010.run"])
    def test_a_dataset(self, run: TakenRun, name: str) -> None:
        run.stf(1)
        dataset = Dataset.objects.create(
            scope="group.daq", name="swf.100010.run", namespace="testbed", run_number=RUN, created_at=NOW
        )
        DatasetFile.objects.create(dataset=dataset, name=STF, size_bytes=1, adler32="0" * 8, attached_at=NOW)
        explained = explain(name, ALIVE)
        assert (explained.kind, explained.state) == ("dataset", "open")
        assert "It has 1 files." in explained.why

    def test_an_agent_and_what_it_holds(self, run: TakenRun) -> None:
        run.agent("worker", 5)
        run.slice(run.sample(run.stf(1)), 0, WorkState.PROCESSING)
        explained = explain("worker-agent-me-5", ALIVE)
        assert f"It holds {SLICE}." in explained.why
        assert "process 4321" in why(explained)

    def test_an_agent_whose_process_is_gone(self, run: TakenRun) -> None:
        run.agent("worker", 5)
        assert "no process is at work here" in why(explain("worker-agent-me-5", ALONE))

    def test_a_product(self, run: TakenRun) -> None:
        run.processed_stf(1)
        Product.objects.create(
            name="p.root",
            namespace="testbed",
            run_number=RUN,
            kind="slice",
            location="100010/p.root",
            size_bytes=5,
            adler32="0" * 8,
            sha256="0" * 64,
            made_from=STF,
            item=SLICE,
            simulated=True,
            created_at=NOW,
        )
        explained = explain("p.root", ALIVE)
        assert explained.what.startswith("SIMULATED product")
        assert explained.next == (f"testbed runs explain {SLICE}",)


class TestUnknown:
    @pytest.mark.parametrize(
        "name",
        [
            "",
            "nothing",
            "../../etc/passwd",
            "swf.1.1.stf",
            "9" * 40,
            "-1",
            "100010 OR 1=1",
            "swf.100010.000000.stf",
            "é",
        ],
    )
    def test_says_what_can_be_explained(self, run: TakenRun, name: str) -> None:
        with pytest.raises(UnknownNameError, match=r"testbed runs list|expected"):
            explain(name, ALIVE)

    def test_near_names_are_offered(self, run: TakenRun) -> None:
        with pytest.raises(UnknownNameError, match=f"did you mean {EXECUTION}"):
            explain("fast_processing-me-0002", ALIVE)

    @pytest.mark.parametrize("name", [str(RUN), STF, EXECUTION])
    def test_of_another_namespace(self, run: TakenRun, name: str) -> None:
        run.stf(1)
        with pytest.raises(UnknownNameError, match=r"no run|nothing here is named"):
            explain(name, Scene(now=NOW, process=None, namespaces=only("other")))


def test_an_explanation_is_plain_json(run: TakenRun) -> None:
    run.event("start_run")
    run.attempt(SLICE, 1)
    run.processed_stf(1)
    for name in (str(RUN), STF, SAMPLE, SLICE, EXECUTION):
        value = explain(name, ALIVE).as_json()
        assert json.loads(json.dumps(value)) == value
