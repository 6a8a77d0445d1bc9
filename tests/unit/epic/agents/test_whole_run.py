"""A whole run through all agents: in order, twice, in any order, and with the process killed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from epic_bench import RUN, EpicBench, UnrulyBus, fails_at_first, fails_for_one
from epic_state import final_state
from store_fixture import opened
from swf.core.ledger import Stage
from swf.epic.accounting import ledger_of
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.store.models import Attempt, DeadLetter, Event, InboxEntry, OutboxMessage, Run

STFS, SLICES = 12, 5
SETTINGS = {"fast_processing__slices_per_sample": SLICES}


def take(bench: EpicBench, stfs: int = STFS) -> dict[str, Any]:
    daq = bench.daq()
    bench.send(*daq.whole_run(stfs))
    bench.run()
    return final_state(RUN)


@pytest.mark.parametrize("bus", ["memory", "embedded"])
def test_a_run_is_registered_sampled_sliced_processed_and_closed(store: Path, tmp_path: Path, bus: str) -> None:
    with EpicBench(tmp_path, bus, **SETTINGS) as bench:
        state = take(bench)
    assert state["closed"]
    (figures,) = state["state"]
    assert figures == {
        "phase": "completed",
        "state": "beam",
        "substate": "not_ready",
        "target_worker_count": 30,
        "stf_registered": STFS,
        "tf_files_received": STFS,
        "stf_samples_received": STFS,
        "slices_created": STFS * SLICES,
        "slices_queued": 0,
        "slices_processing": 0,
        "slices_completed": STFS * SLICES,
        "slices_failed": 0,
    }
    ledger = ledger_of(RUN)
    assert (ledger.produced, ledger.registered, ledger.missing, ledger.undone_total) == (STFS, STFS, 0, 0)
    assert ledger.balanced
    assert ledger.complete
    assert ledger.stages == {stage: {"completed": STFS} for stage in Stage if stage is not Stage.ARCHIVED} | {
        Stage.ARCHIVED: {"not_required": STFS}
    }
    # A tenth of 100 TFs is sampled, in one range, and cut without gap or overlap.
    for stf in StfFile.objects.all():
        (sample,) = FastMonFile.objects.filter(stf=stf)
        assert sample.tf_count == 10
        slices = list(TfSlice.objects.filter(stf=stf).order_by("slice_id"))
        assert [s.slice_id for s in slices] == list(range(SLICES))
        assert [n for s in slices for n in range(s.tf_first, s.tf_last + 1)] == list(
            range(sample.tf_first, sample.tf_last + 1)
        )
    assert sum(TfSlice.objects.values_list("hits_found", flat=True)) == 3 * 10 * STFS
    assert state["datasets"] == [("group.daq", f"swf.{RUN}.run", "closed")]
    assert Attempt.objects.filter(outcome="ok").count() == Attempt.objects.count() == STFS * SLICES
    assert not DeadLetter.objects.exists()
    # Nothing is left on its way to a worker or back.
    assert not OutboxMessage.objects.filter(destination__startswith="/queue/").exists()


def test_every_message_is_in_the_log_once_with_the_number_of_its_sender(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, "embedded", **SETTINGS) as bench:
        take(bench)
        names = [runtime.identity.name for runtime in bench.runtimes.values()]
    types = Event.objects.filter(kind="message").values_list("type", flat=True)
    # What the DAQ says is logged by the DAQ itself, which is not here.
    assert sorted(types) == sorted(
        ["stf_ready", "tf_file_registered"] * STFS + ["slice", "slice_result"] * STFS * SLICES
    )
    for name in names:
        numbers = list(
            Event.objects.filter(sender=name, kind="message").order_by("seq").values_list("sender_seq", flat=True)
        )
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.fixture(scope="module")
def ordered(store_template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an ordered run leaves."""
    folder = tmp_path_factory.mktemp("ordered")
    file = folder / "swf.sqlite3"
    shutil.copyfile(store_template, file)
    with opened(file), EpicBench(folder, **SETTINGS) as bench:
        return take(bench)


@pytest.mark.parametrize("seed", range(6))
def test_twice_and_in_any_order_comes_to_the_same(
    store: Path, tmp_path: Path, ordered: dict[str, Any], seed: int
) -> None:
    with EpicBench(tmp_path, UnrulyBus(seed), **SETTINGS) as bench:
        assert take(bench) == ordered
        repeated = sum(runtime.counts.repeated for runtime in bench.runtimes.values())
    assert repeated > InboxEntry.objects.count() / 2
    letters = DeadLetter.objects.exclude(state=DeadLetter.State.REDRIVEN)
    assert not letters.exists(), [letter.reason for letter in letters]


@pytest.mark.parametrize("seed", range(3))
def test_failures_that_come_twice_and_in_any_order_are_counted_once(store: Path, tmp_path: Path, seed: int) -> None:
    with EpicBench(tmp_path, UnrulyBus(seed), payload=fails_at_first, **SETTINGS) as bench:
        state = take(bench, stfs=6)
    assert state["ledger"].complete
    assert [slice_["attempt"] for slice_ in state["slices"]] == [3] * 6 * SLICES
    assert [slice_["retries"] for slice_ in state["slices"]] == [2] * 6 * SLICES
    assert len(state["attempts"]) == 3 * 6 * SLICES
    assert state["state"][0]["slices_completed"] == 6 * SLICES


@pytest.mark.parametrize("bus", ["memory", "embedded"])
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8])
def test_a_process_that_is_killed_and_started_again_comes_to_the_same(
    store: Path, tmp_path: Path, ordered: dict[str, Any], bus: str, steps: int
) -> None:
    with EpicBench(tmp_path, bus, **SETTINGS) as bench:
        daq = bench.daq()
        bench.send(*daq.whole_run(STFS))
        for _ in range(steps):
            bench.step()
        bench.kill()
        bench.start()
        bench.run()
    state = final_state(RUN)
    # What the dead worker held was handed back: another attempt, and nothing else differs.
    for slice_, as_ordered in zip(state["slices"], ordered["slices"], strict=True):
        assert slice_["attempt"] in {1, 2}
        assert slice_["retries"] == 0
        slice_["attempt"] = as_ordered["attempt"]
    state["attempts"] = [a for a in state["attempts"] if a[2] == "ok"]
    assert [a[0] for a in state["attempts"]] == [a[0] for a in ordered["attempts"]]
    state["attempts"] = ordered["attempts"]
    assert state == ordered


def test_two_runs_may_overlap(store: Path, tmp_path: Path, ordered: dict[str, Any]) -> None:
    with EpicBench(tmp_path, UnrulyBus(7), **SETTINGS) as bench:
        one, other = bench.daq(), bench.daq(run=RUN + 1)
        notices = [notice for pair in zip(one.whole_run(STFS), other.whole_run(STFS), strict=True) for notice in pair]
        bench.send(*notices)
        bench.run()
        states = [final_state(run) for run in (RUN, RUN + 1)]
    assert [state["run"][0]["execution_id"] for state in states] == [one.execution_id, other.execution_id]
    for state in states:
        assert state["closed"]
        assert state["state"] == ordered["state"]
        assert state["ledger"].complete
        assert [slice_["hits_found"] for slice_ in state["slices"]] == [s["hits_found"] for s in ordered["slices"]]


def test_a_run_without_samples_is_registered_and_closed(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, fast_processing__stf_sampling_rate=0.0) as bench:
        state = take(bench)
    assert state["closed"]
    assert state["ledger"].stages[Stage.PROCESSED] == {"not_required": STFS}
    assert state["ledger"].stages[Stage.REGISTERED] == {"completed": STFS}
    assert not TfSlice.objects.exists()


def test_a_part_of_the_stfs_is_sampled_and_the_rest_is_not_required(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, fast_processing__stf_sampling_rate=0.25, **SETTINGS) as bench:
        state = take(bench)
    assert state["ledger"].stages[Stage.PROCESSED] == {"not_required": 9, "completed": 3}
    assert state["ledger"].complete
    assert len(state["slices"]) == 3 * SLICES


def test_a_sample_of_several_files_is_cut_once_when_all_are_there(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, UnrulyBus(3), fast_processing__tf_files_per_sample=4, **SETTINGS) as bench:
        state = take(bench)
    (figures,) = state["state"]
    assert (figures["tf_files_received"], figures["stf_samples_received"]) == (4 * STFS, STFS)
    assert (figures["slices_created"], figures["slices_completed"]) == (SLICES * STFS, SLICES * STFS)


def test_a_run_that_was_stopped_is_closed_by_its_ledger(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, **SETTINGS) as bench:
        daq = bench.daq()
        bench.send(daq.imminent(), daq.start(), *(daq.stf(n) for n in (1, 2, 3)), daq.end(3, ended_by="ann"))
        bench.run()
        state = final_state(RUN)
    assert state["closed"]
    assert state["run"][0]["ended_by"] == "ann"
    assert state["ledger"].complete
    assert RunState.objects.get().phase == "completed"


def test_a_run_without_stfs_is_closed(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path) as bench:
        daq = bench.daq()
        bench.send(daq.imminent(), daq.start(), daq.end(0))
        bench.run()
    assert Run.objects.get().closed_at is not None
    assert ledger_of(RUN).complete


def test_a_run_with_a_failed_slice_is_closed_and_says_so(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, payload=fails_for_one, **SETTINGS) as bench:
        state = take(bench, stfs=3)
    assert state["closed"]
    ledger = state["ledger"]
    assert ledger.balanced
    assert not ledger.complete
    assert ledger.stages[Stage.PROCESSED] == {"failed": 1, "completed": 2}
    (figures,) = state["state"]
    assert (figures["slices_completed"], figures["slices_failed"]) == (3 * SLICES - 1, 1)
    failed = TfSlice.objects.get(status="failed")
    assert (failed.attempt, failed.retries) == (4, 3)
    assert Attempt.objects.filter(item=failed.name, outcome="crashed").count() == 4
    assert [(unit.name, unit.word) for unit in ledger.undone] == [
        (failed.stf.name, "failed"),
        (failed.name, "failed"),
    ]
    assert "no luck with" in ledger.undone[1].reason
