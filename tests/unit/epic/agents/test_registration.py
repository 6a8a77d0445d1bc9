"""The data agent: runs and STFs are registered once, whatever comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epic_bench import RUN, EpicBench, UnrulyBus
from swf.core.ledger import Stage
from swf.epic.accounting import ledger_of
from swf.epic.models import RunState, StfFile
from swf.epic.phases import RUN_TABLE, RunPhase, RunTrigger, phase_after
from swf.store.models import DeadLetter, Run

FACTS = {"has_content": True, "size_bytes": 10, "sha256": "a" * 64}


@pytest.fixture
def bench(store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    with EpicBench(tmp_path) as bench:
        yield bench


def only_letter() -> DeadLetter:
    return DeadLetter.objects.get(state=DeadLetter.State.PARKED)


def test_an_stf_that_is_announced_again_with_another_content_is_refused(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.stf(1), daq.stf(1))
    bench.run()
    assert not DeadLetter.objects.exists(), "the same again changes nothing"
    bench.send(daq.stf(1, sha256="f" * 64), daq.stf(2))
    bench.run()
    letter = only_letter()
    assert letter.error == "DataError"
    assert "an announced STF is never changed" in letter.reason
    assert "swf.100010.000001.stf" in letter.reason
    assert StfFile.objects.get(sequence=1).sha256 == "0" * 64
    assert RunState.objects.get().stf_registered == 2


def test_an_stf_of_a_run_that_was_never_announced_is_refused_and_harms_nothing(bench: EpicBench) -> None:
    good = bench.daq()
    stranger = bench.daq(run=7, execution_id="nobody-ann-0001")
    bench.send(good.imminent(), good.stf(1), stranger.stf(1), good.stf(2), good.end(2))
    bench.run()
    assert not Run.objects.filter(pk=7).exists()
    assert "run 7 belongs to no execution" in only_letter().reason
    assert Run.objects.get(pk=RUN).closed_at is not None


def test_notices_of_a_run_that_belongs_to_no_execution_do_not_end_the_agent(bench: EpicBench) -> None:
    stranger = bench.daq(run=7, execution_id="nobody-ann-0001")
    bench.send(stranger.imminent(), stranger.start(), stranger.pause(), stranger.end(0))
    good = bench.daq()
    bench.send(*good.whole_run(2))
    bench.run()
    assert Run.objects.get(pk=RUN).closed_at is not None
    assert not Run.objects.filter(pk=7).exists()
    reasons = DeadLetter.objects.values_list("reason", flat=True)
    assert set(reasons) == {"run 7 belongs to no execution that is known here"}
    assert len(reasons) == 4


def test_the_first_notice_of_a_run_may_share_its_batch_with_a_bad_one(bench: EpicBench) -> None:
    daq = bench.daq()
    # Together they fail; then each is taken by itself, and the run is registered with the first good one.
    bench.send(daq.stf(1), daq.stf(1, sha256="f" * 64), daq.stf(2))
    bench.run()
    assert only_letter().error == "DataError"
    assert list(StfFile.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2]
    assert RunState.objects.get().stf_registered == 2


def test_an_stf_beyond_the_end_of_its_run_is_refused(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(*daq.whole_run(2))
    bench.run()
    assert Run.objects.get().closed_at is not None
    bench.send(daq.stf(3, **FACTS))
    bench.run()
    letter = only_letter()
    assert letter.error == "DataError"
    assert "run 100010 ended with 2 STFs" in letter.reason
    assert StfFile.objects.count() == 2
    assert ledger_of(RUN).complete


def test_an_stf_that_came_before_an_end_that_does_not_count_it_keeps_the_run_open(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), *(daq.stf(n) for n in (1, 2, 3)), daq.end(2))
    bench.run()
    ledger = ledger_of(RUN)
    assert not ledger.balanced
    assert Run.objects.get().closed_at is None
    assert [(unit.name, unit.word) for unit in ledger.undone] == [("swf.100010.000003.stf", "surplus")]
    assert ledger.undone_total == 1


def test_a_missing_stf_is_named_and_keeps_the_run_open(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), daq.stf(1), daq.stf(2), daq.stf(5))
    bench.run()
    ledger = ledger_of(RUN)
    assert (ledger.produced, ledger.registered, ledger.missing) == (None, 3, 2)
    assert [unit.name for unit in ledger.undone] == ["swf.100010.000003.stf", "swf.100010.000004.stf"]
    assert {(unit.stage, unit.word) for unit in ledger.undone} == {(Stage.REGISTERED, "missing")}
    assert ledger.undone[0].reason == "its stf_gen never came"
    bench.send(daq.end(6))
    bench.run()
    assert ledger_of(RUN).missing == 3
    assert Run.objects.get().closed_at is None
    bench.send(daq.stf(3), daq.stf(6), daq.stf(4))
    bench.run()
    assert ledger_of(RUN).complete
    assert Run.objects.get().closed_at is not None


def test_a_ledger_with_hundreds_of_thousands_missing_names_the_first(bench: EpicBench) -> None:
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), daq.stf(999_999))
    bench.run()
    ledger = ledger_of(RUN)
    assert (ledger.missing, ledger.undone_total) == (999_998, 999_998)
    assert [unit.name for unit in ledger.undone] == [f"swf.100010.{n:06d}.stf" for n in range(1, 51)]


@pytest.mark.parametrize("seed", range(5))
def test_the_latest_notice_of_the_daq_tells_the_state(store: Path, tmp_path: Path, seed: int) -> None:
    with EpicBench(tmp_path, UnrulyBus(seed)) as bench:
        daq = bench.daq()
        notices = [daq.imminent(), daq.start(), daq.pause(), daq.resume(), daq.pause()]
        bench.send(*notices)
        bench.run()
    state = RunState.objects.get()
    assert (state.phase, state.state, state.substate, state.state_seq) == ("standby", "run", "standby", 5)


def test_an_absurd_number_of_workers_is_not_believed(bench: EpicBench) -> None:
    for run, target in enumerate([10**30, -1, True, "30", None, [30]], start=RUN):
        daq = bench.daq(run=run)
        bench.send(daq.imminent(workflow_params={"target_worker_count": target}))
    bench.run()
    assert not DeadLetter.objects.exists()
    assert set(RunState.objects.values_list("target_worker_count", flat=True)) == {0}


@given(st.lists(st.tuples(st.sampled_from(RunTrigger), st.integers(1, 30)), unique_by=lambda notice: notice[1]))
def test_the_phase_does_not_depend_on_the_order_in_which_notices_come(notices: list[tuple[RunTrigger, int]]) -> None:
    def phase_of(order: list[tuple[RunTrigger, int]]) -> RunPhase:
        phase, last = RunPhase.IMMINENT, 0
        for trigger, seq in order:
            after = phase_after(phase, last, trigger, seq)
            if after is not None:
                phase, last = after, seq
        return phase

    in_order = sorted(notices, key=lambda notice: notice[1])
    # Nothing follows an end: the DAQ numbers it last.
    ends = [i for i, (trigger, _) in enumerate(in_order) if trigger is RunTrigger.END]
    in_order = in_order[: ends[0] + 1] if ends else in_order
    arriving = [notice for notice in notices if notice in in_order]
    assert phase_of(arriving) == phase_of(in_order)


def test_in_order_the_phases_are_those_of_the_table() -> None:
    for move in RUN_TABLE.moves:
        assert phase_after(move.source, 1, move.trigger, 2) is move.target
        assert phase_after(move.source, 2, move.trigger, 2) is None
    assert phase_after(RunPhase.COMPLETED, 1, RunTrigger.START, 2) is None
