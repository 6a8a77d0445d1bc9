"""The fast-processing agent: samples are cut once, results count once, late ones change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from epic_bench import RUN, EpicBench, fails
from swf.core.ledger import Stage
from swf.epic.accounting import ledger_of, stf_words
from swf.epic.messages import RESULT_QUEUE, SLICE_QUEUE, SliceResult, StfReady, TfFileRegistered
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.store.models import Attempt, DeadLetter, Event, OutboxMessage, Product, Run

SLICES = 5
OUTSIDER = "worker-agent-panda-77"


@pytest.fixture
def bench(store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    """All agents but the worker: a worker outside of this system takes the slices."""
    with EpicBench(
        tmp_path, roles=("data", "fastmon", "fast_processing"), fast_processing__slices_per_sample=SLICES
    ) as bench:
        yield bench


def queued(bench: EpicBench, stfs: int = 1) -> list[TfSlice]:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), *(daq.stf(n) for n in range(1, stfs + 1)), daq.end(stfs))
    bench.run()
    slices = list(TfSlice.objects.order_by("name"))
    assert [s.status for s in slices] == ["queued"] * SLICES * stfs
    return slices


def result_of(item: TfSlice, **changes: Any) -> SliceResult:
    facts: dict[str, Any] = {
        "run_id": RUN,
        "tf_filename": item.name,
        "filename": "swf.100010.000001.stf",
        "slice_id": item.slice_id,
        "req_id": item.req_id,
        "attempt": item.attempt + 1,
        "result": "done",
        "outcome": "ok",
        "worker": OUTSIDER,
        "summary": {"hits_found": 7},
    }
    return SliceResult(**facts | changes)


def report(bench: EpicBench, *results: SliceResult) -> None:
    bench.bus.publish([bench.wire(result, RESULT_QUEUE, sender=OUTSIDER) for result in results])
    bench.run()


def figures() -> dict[str, int]:
    names = ("slices_queued", "slices_processing", "slices_completed", "slices_failed")
    return RunState.objects.values(*names).get()


def test_a_worker_outside_takes_slices_without_a_claim(bench: EpicBench) -> None:
    slices = queued(bench)
    assert not OutboxMessage.objects.filter(destination=SLICE_QUEUE).exists(), "the relay has sent them"
    report(bench, *(result_of(item) for item in slices))
    assert set(TfSlice.objects.values_list("status", "attempt", "hits_found")) == {("completed", 1, 7)}
    assert figures() == {
        "slices_queued": 0,
        "slices_processing": 0,
        "slices_completed": SLICES,
        "slices_failed": 0,
    }
    assert Run.objects.get().closed_at is not None


def test_the_same_result_in_another_message_is_late(bench: EpicBench) -> None:
    first, *_ = queued(bench)
    report(bench, result_of(first), result_of(first))
    report(bench, result_of(first), result_of(first, attempt=2))
    assert figures()["slices_completed"] == 1
    outcomes = list(Attempt.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes == ["ok", "late", "late", "late"]


def test_a_result_of_an_attempt_that_was_given_up_is_late(bench: EpicBench) -> None:
    first, *_ = queued(bench)
    report(bench, result_of(first, result="failed", outcome="crashed", detail="segmentation fault"))
    again = TfSlice.objects.get(pk=first.pk)
    assert (again.status, again.attempt, again.retries) == ("queued", 1, 1)
    assert again.reason == "crashed: segmentation fault"
    assert again.req_id != first.req_id
    # The first worker comes to life again, and says that it was done after all.
    report(bench, result_of(first))
    assert TfSlice.objects.get(pk=first.pk).status == "queued"
    report(bench, result_of(again))
    done = TfSlice.objects.get(pk=first.pk)
    assert (done.status, done.attempt) == ("completed", 2)
    assert sorted(Attempt.objects.values_list("attempt", "outcome")) == [(1, "crashed"), (1, "late"), (2, "ok")]


def test_a_result_of_an_unknown_request_is_kept_as_late_and_changes_nothing(bench: EpicBench) -> None:
    first, *_ = queued(bench)
    before = figures()
    report(bench, result_of(first, req_id=UUID(int=99)), result_of(first, attempt=7))
    assert figures() == before
    assert list(Attempt.objects.values_list("outcome", "holder")) == [("late", OUTSIDER)] * 2
    assert not DeadLetter.objects.exists()


def test_a_slice_that_fails_each_time_is_given_up_after_four_attempts(bench: EpicBench) -> None:
    first, *_ = queued(bench)
    for attempt in range(1, 5):
        item = TfSlice.objects.get(pk=first.pk)
        report(bench, result_of(item, result="failed", outcome="timed_out", detail=f"attempt {attempt}"))
    item = TfSlice.objects.get(pk=first.pk)
    assert (item.status, item.attempt, item.retries, item.reason) == ("failed", 4, 3, "timed_out: attempt 4")
    assert figures()["slices_failed"] == 1
    assert figures()["slices_queued"] == SLICES - 1
    sent = Event.objects.filter(kind="message", type="slice", subject=first.name).order_by("seq")
    assert [f'"attempt":{n}' in event.body for n, event in enumerate(sent, start=1)] == [True] * 4


def test_a_slice_is_not_tried_again_where_no_retries_are_configured(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, payload=fails, fast_processing__slices_per_sample=2, processing__max_retries=0) as bench:
        daq = bench.daq()
        bench.send(*daq.whole_run(2))
        bench.run()
    assert set(TfSlice.objects.values_list("status", "attempt")) == {("failed", 1)}
    ledger = ledger_of(RUN)
    assert ledger.stages[Stage.PROCESSED] == {"failed": 2}
    assert (ledger.balanced, ledger.complete, ledger.undone_total) == (True, False, 2)
    assert Run.objects.get().closed_at is not None


def test_a_product_is_registered_once_with_the_attempt_that_made_it(bench: EpicBench) -> None:
    first, *_ = queued(bench)
    output = {"output_name": "a_a1.root", "output_size": 5, "output_adler32": "0" * 8, "output_sha256": "0" * 64}
    report(bench, result_of(first, **output), result_of(first, **output))
    product = Product.objects.get()
    assert (product.name, product.item, product.attempt) == ("a_a1.root", first.name, 1)
    assert product.location == f"{RUN}/a_a1.root"


@pytest.mark.parametrize("hits", [True, "7", 1.5, None, -1, 10**30, [7]])
def test_an_absurd_number_of_hits_is_not_counted(bench: EpicBench, hits: object) -> None:
    first, *_ = queued(bench)
    report(bench, result_of(first, summary={"hits_found": hits}))
    item = TfSlice.objects.get(pk=first.pk)
    assert (item.status, item.hits_found) == ("completed", None)


def test_a_summary_of_any_shape_is_kept_with_the_product(bench: EpicBench) -> None:
    first, *_ = queued(bench)
    output = {"output_name": "a_a1.root", "output_size": 5, "output_adler32": "0" * 8, "output_sha256": "0" * 64}
    summary = {"parameters": [1, "ü"], "code_version": "v" * 300, "hits_found": {}}
    report(bench, result_of(first, **output, summary=summary))
    product = Product.objects.get()
    assert product.summary == summary
    assert product.code_version == "v" * 100


def test_a_sample_file_that_is_announced_before_it_is_registered_is_waited_for(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(daq.imminent())
    bench.run()
    early = TfFileRegistered(
        run_id=RUN,
        execution_id=daq.execution_id,
        tf_filename="swf.100010.000001_tf_001.tf",
        stf_filename="swf.100010.000001.stf",
        tf_first=0,
        tf_last=9,
        tf_count=10,
        sample_index=1,
        sample_count=1,
        file_size_bytes=0,
    )
    ready = StfReady(**{n: v for n, v in daq.stf(1) if n in StfReady.model_fields})
    bench.send(early, ready)
    assert bench.step()
    assert set(DeadLetter.objects.values_list("role", "state")) == {
        ("fast_processing", "retrying"),
        ("fastmon", "retrying"),
    }
    bench.send(daq.stf(1))
    bench.run()
    assert TfSlice.objects.count() == SLICES
    assert set(DeadLetter.objects.values_list("state", flat=True)) == {"redriven"}
    assert RunState.objects.get().stf_samples_received == 1


def test_a_sample_file_that_is_announced_again_in_another_message_counts_once(bench: EpicBench) -> None:
    queued(bench)
    sample = FastMonFile.objects.get()
    again = TfFileRegistered(
        run_id=RUN,
        tf_filename=sample.name,
        stf_filename=sample.stf.name,
        tf_first=sample.tf_first,
        tf_last=sample.tf_last,
        tf_count=sample.tf_count,
        sample_index=1,
        sample_count=1,
        file_size_bytes=0,
    )
    bench.send(again, again)
    bench.run()
    state = RunState.objects.get()
    assert (state.tf_files_received, state.stf_samples_received, state.slices_created) == (1, 1, SLICES)
    assert TfSlice.objects.count() == SLICES


def test_a_file_of_which_nobody_ever_hears_again_is_parked(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), StfReady(**{n: v for n, v in daq.stf(9) if n in StfReady.model_fields}))
    bench.run()
    letter = DeadLetter.objects.get()
    assert (letter.state, letter.role, letter.attempts) == ("parked", "fastmon", 6)
    assert "swf.100010.000009.stf is announced as ready but is not registered (yet)" in letter.reason


def test_an_overdue_slice_of_a_worker_outside_stays_queued(bench: EpicBench) -> None:
    queued(bench)
    bench.clock.advance(timedelta(days=3).total_seconds())
    bench.run()
    assert figures()["slices_queued"] == SLICES


WORDS = [
    # status, sample_count, slice_count, samples, slices -> registered, sampled, sliced, processed
    ("queued", None, None, {}, {}, "queued", "queued", "queued", "queued"),
    ("processing", None, None, {}, {}, "processing", "queued", "queued", "queued"),
    ("failed", None, None, {}, {}, "failed", "cancelled", "cancelled", "cancelled"),
    ("cancelled", None, None, {}, {}, "cancelled", "cancelled", "cancelled", "cancelled"),
    ("failed", 0, 0, {}, {}, "failed", "not_required", "not_required", "not_required"),
    ("completed", 0, 0, {}, {}, "completed", "not_required", "not_required", "not_required"),
    ("completed", 2, None, {"queued": 2}, {}, "completed", "queued", "queued", "queued"),
    ("completed", 2, None, {"queued": 1, "completed": 1}, {}, "completed", "processing", "queued", "queued"),
    ("completed", 2, None, {"processing": 1, "queued": 1}, {}, "completed", "processing", "queued", "queued"),
    ("completed", 2, None, {"completed": 2}, {}, "completed", "completed", "queued", "queued"),
    ("completed", 2, None, {"completed": 1, "failed": 1}, {}, "completed", "failed", "cancelled", "cancelled"),
    ("completed", 2, None, {"queued": 1, "failed": 1}, {}, "completed", "processing", "queued", "queued"),
    ("completed", 1, 3, {"completed": 1}, {"queued": 3}, "completed", "completed", "completed", "queued"),
    ("completed", 1, 3, {"completed": 1}, {"queued": 2, "completed": 1}, *["completed"] * 3, "processing"),
    ("completed", 1, 3, {"completed": 1}, {"processing": 3}, *["completed"] * 3, "processing"),
    ("completed", 1, 3, {"completed": 1}, {"completed": 3}, *["completed"] * 4),
    ("completed", 1, 3, {"completed": 1}, {"completed": 2, "failed": 1}, *["completed"] * 3, "failed"),
    ("completed", 1, 3, {"completed": 1}, {"completed": 2, "expired": 1}, *["completed"] * 3, "expired"),
    ("completed", 1, 3, {"completed": 1}, {"failed": 1, "cancelled": 2}, *["completed"] * 3, "failed"),
    ("completed", 1, 3, {"completed": 1}, {"failed": 2, "processing": 1}, *["completed"] * 3, "processing"),
]


@pytest.mark.parametrize("case", WORDS, ids=str)
def test_an_stf_is_in_exactly_one_word_at_each_stage(case: tuple[Any, ...]) -> None:
    status, sample_count, slice_count, samples, slices, *expected = case
    stf = {"status": status, "sample_count": sample_count, "slice_count": slice_count}
    words = stf_words(stf, Counter(samples), Counter(slices))
    assert list(words) == list(Stage)
    assert words.pop(Stage.ARCHIVED) == "not_required"
    assert [str(word) for word in words.values()] == expected


def test_a_failed_sample_is_named_with_its_reason(bench: EpicBench) -> None:
    queued(bench, stfs=2)
    TfSlice.objects.filter(stf__sequence=1).delete()
    StfFile.objects.filter(sequence=1).update(slice_count=None)
    FastMonFile.objects.filter(stf__sequence=1).update(status="failed", reason="the STF is truncated")
    ledger = ledger_of(RUN)
    stf, sample, *_ = ledger.undone
    assert (stf.name, stf.stage, stf.word) == ("swf.100010.000001.stf", Stage.SAMPLED, "failed")
    assert (sample.name, sample.word, sample.reason, sample.part_of) == (
        "swf.100010.000001_tf_001.tf",
        "failed",
        "the STF is truncated",
        stf.name,
    )
    assert ledger.undone_total == 2
