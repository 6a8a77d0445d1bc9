"""Summary, ledger, list, stop and prune, on rows made by hand."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.scene import Scene, only
from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.epic.names import stf_name
from swf.epic.usecases.lookup import parse_run_number
from swf.epic.usecases.prune import prune
from swf.epic.usecases.runs import RUNS, RunLine, stop_run
from swf.epic.usecases.summary import ledger_as_json, run_ledger, run_summary
from swf.store.listing import Question
from swf.store.models import Alarm, Dataset, Product, WorkflowExecution
from taken_run import EXECUTION, NOW, RUN, TakenRun

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def run(store: Path) -> TakenRun:
    taken = TakenRun()
    taken.started(status="completed")
    return taken


class TestSummary:
    def test_of_a_complete_run(self, run: TakenRun) -> None:
        for sequence in (1, 2):
            run.processed_stf(sequence)
        run.ended(2, closed=True)
        for kind in ("run_imminent", "stf_gen", "stf_gen", "end_run"):
            run.event(kind)
        summary = run_summary(RUN)
        assert summary.complete
        assert (summary.execution, summary.workflow, summary.namespace) == (EXECUTION, "fast_processing", "testbed")
        assert summary.mode == "embedded"
        assert summary.simulated
        assert summary.duration_s == 22.0
        assert summary.stf == {"produced": 2, "registered": 2, "sampled": 2}
        assert summary.tf_files == {"registered": 2}
        assert summary.slices["created"] == summary.slices["completed"] == 4
        assert summary.slices["retries"] == 0
        assert summary.hits == {"sampled": 100, "found": 100}
        assert summary.ledger["missing"] == 0
        assert summary.messages == {"run_imminent": 1, "stf_gen": 2, "end_run": 1}
        assert summary.agents == ["data-agent-me-1"]
        assert summary.dataset is None

    def test_of_a_run_with_failures(self, run: TakenRun) -> None:
        stf = run.stf(1, slice_count=2)
        sample = run.sample(stf)
        run.slice(sample, 0, WorkState.FAILED, retries=3, reason="crashed")
        run.slice(sample, 1)
        run.ended(1, closed=True)
        summary = run_summary(RUN)
        assert not summary.complete
        assert summary.slices["failed"] == 1
        assert summary.slices["retries"] == 3
        assert summary.hits == {"sampled": 50, "found": 25}
        assert [unit["word"] for unit in summary.ledger["undone"]] == ["failed", "failed"]

    def test_of_a_run_under_way(self, run: TakenRun) -> None:
        run.stf(1, WorkState.QUEUED)
        run.event("stf_gen", after_s=5)
        run.letter()
        run.letter("discarded")
        Alarm.objects.create(namespace="testbed", key="k", text="t", run_number=RUN, raised_at=NOW)
        Dataset.objects.create(
            scope="group.daq", name="swf.100010.run", namespace="testbed", run_number=RUN, created_at=NOW
        )
        Product.objects.create(
            name="p",
            namespace="testbed",
            run_number=RUN,
            kind="slice",
            location="p",
            size_bytes=7,
            adler32="0" * 8,
            sha256="0" * 64,
            made_from="s",
            item="i",
            created_at=NOW,
        )
        summary = run_summary(RUN)
        assert not summary.complete
        assert (summary.ended, summary.closed, summary.state) == (None, None, "physics")
        assert summary.duration_s == 5.0
        assert summary.stf["produced"] is None
        assert summary.dead_letters == 1
        assert [alarm["text"] for alarm in summary.alarms] == ["t"]
        assert summary.dataset == {"name": "group.daq:swf.100010.run", "state": "open", "files": 0}
        assert summary.products == {"count": 1, "bytes": 7}

    def test_is_plain_json(self, run: TakenRun) -> None:
        run.processed_stf(1)
        value = run_summary(RUN).as_json()
        assert json.loads(json.dumps(value)) == value

    def test_of_another_run(self, run: TakenRun) -> None:
        other = TakenRun(RUN + 1, execution="fast_processing-me-0002")
        other.started()
        other.processed_stf(1)
        other.event("stf_gen")
        assert run_summary(RUN).slices["created"] == 0
        assert run_summary(RUN).messages == {}

    def test_of_an_unknown_run(self, run: TakenRun) -> None:
        with pytest.raises(UnknownNameError, match="did you mean 100010"):
            run_summary(100011)

    def test_in_an_empty_store(self) -> None:
        with pytest.raises(UnknownNameError, match="no run was taken yet"):
            run_summary(RUN)

    def test_of_a_run_that_is_not_announced(self) -> None:
        TakenRun().started(announced=False)
        with pytest.raises(UnknownNameError, match="not announced yet: its execution"):
            run_summary(RUN)


def test_the_ledger_adds_up(run: TakenRun) -> None:
    run.processed_stf(1)
    run.stf(3, sample_count=0, slice_count=0)
    run.ended(3)
    ledger = ledger_as_json(run_ledger(RUN))
    assert (ledger["produced"], ledger["registered"], ledger["missing"]) == (3, 2, 1)
    assert not ledger["balanced"]
    assert all(sum(words.values()) == 2 for words in ledger["stages"].values())
    assert [unit["name"] for unit in ledger["undone"]] == [stf_name(RUN, 2)]


@pytest.mark.parametrize("text", ["", "x", "1.5", "-3", "0", "9" * 11, "2147483648", "١٢"])
def test_what_is_no_run_number(text: str) -> None:
    with pytest.raises(UnknownNameError, match="is not a run number"):
        parse_run_number(text)


def runs(process: int | None = None, namespace: str | None = None) -> tuple[RunLine, ...]:
    return RUNS.page(Question(), Scene(now=NOW, process=process, namespaces=only(namespace))).items


class TestList:
    def test_newest_first_with_counts(self, run: TakenRun) -> None:
        run.processed_stf(1)
        run.ended(1, closed=True, by="me")
        newer = TakenRun(RUN + 1, execution="fast_processing-me-0002")
        newer.started()
        first, second = runs(4321)
        assert (first.run, first.status, first.alive, first.state) == (RUN + 1, "running", True, "physics")
        assert (second.state, second.stfs, second.stfs_produced) == ("closed", 1, 1)
        assert (second.slices, second.slices_completed, second.ended_by) == (2, 2, "me")
        json.dumps([first.as_json(), second.as_json()])

    def test_running_by_its_record_only(self) -> None:
        TakenRun().started()
        assert not runs()[0].alive

    def test_of_a_namespace(self, run: TakenRun) -> None:
        TakenRun(RUN + 1, execution="e2", namespace="other").started()
        assert [line.run for line in runs(namespace="other")] == [RUN + 1]

    def test_so_many(self, run: TakenRun) -> None:
        TakenRun(RUN + 1, execution="e2").started()
        assert len(RUNS.page(Question(limit=1), Scene(now=NOW)).items) == 1

    def test_one_that_is_not_announced(self) -> None:
        TakenRun().started(announced=False)
        assert runs()[0].state == "not_announced"


class TestStop:
    def test_asks_the_process_that_runs_it(self) -> None:
        TakenRun().started()
        request = stop_run(RUN, "somebody", "enough", Scene(now=NOW, process=77))
        assert "process 77 will end run 100010" in request.text
        execution = WorkflowExecution.objects.get()
        assert (execution.stop_requested_by, execution.stop_reason) == ("somebody", "enough")

    def test_keeps_the_request_where_no_process_runs(self) -> None:
        TakenRun().started(status="paused")
        request = stop_run(RUN, "somebody", "", Scene(now=NOW))
        assert "is not running" in request.text
        assert request.next == f"testbed run --resume {EXECUTION}"

    def test_before_it_is_announced(self) -> None:
        TakenRun().started(announced=False)
        assert stop_run(RUN, "somebody", "", Scene(now=NOW, process=77)).process == 77

    def test_not_one_that_has_ended(self) -> None:
        run = TakenRun()
        run.started()
        run.ended(1)
        with pytest.raises(IllegalMoveError, match="is announced already"):
            stop_run(RUN, "somebody", "", Scene(now=NOW, process=77))

    def test_not_one_that_is_completed(self, run: TakenRun) -> None:
        with pytest.raises(IllegalMoveError, match="cannot be stopped"):
            stop_run(RUN, "somebody", "", Scene(now=NOW, process=77))

    def test_not_an_unknown_one(self, run: TakenRun) -> None:
        with pytest.raises(UnknownNameError, match="there is no run 5"):
            stop_run(5, "somebody", "", Scene(now=NOW, process=77))


class TestPrune:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "buffer"
        folder.mkdir()
        return folder

    @staticmethod
    def stf(run: TakenRun, folder: Path, sequence: int) -> Path:
        stf = run.stf(sequence)
        path = folder / stf.name
        path.write_bytes(b"x")
        return path

    def test_only_what_is_old_enough_and_closed(self, run: TakenRun, folder: Path) -> None:
        file = self.stf(run, folder, 1)
        clock = ManualClock(NOW)
        assert prune(folder, clock, older_than=timedelta(0)).files == ()
        run.ended(1, closed=True)
        assert prune(folder, clock).files == ()
        clock.advance(73 * 3600)
        pruned = prune(folder, clock)
        assert [each.name for each in pruned.files] == [file.name]
        assert (pruned.bytes, pruned.kept) == (1000, 0)
        assert not file.exists()
        assert prune(folder, clock).files == ()

    def test_a_dry_run_removes_nothing(self, run: TakenRun, folder: Path) -> None:
        file = self.stf(run, folder, 1)
        run.ended(1, closed=True)
        pruned = prune(folder, ManualClock(NOW), older_than=timedelta(0), dry_run=True)
        assert pruned.dry_run
        assert len(pruned.files) == 1
        assert file.exists()

    def test_each_run_in_the_folder_and_with_the_retention_it_was_taken_with(
        self, folder: Path, tmp_path: Path
    ) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        one, two = TakenRun(), TakenRun(RUN + 1, execution="e2")
        one.started()
        two.started(parameter_values={"exit_buffer": {"path": str(elsewhere), "retention_hours": 0.0}})
        kept, gone = self.stf(one, folder, 1), self.stf(two, elsewhere, 1)
        for run in (one, two):
            run.ended(1, closed=True)
        pruned = prune(folder, ManualClock(NOW))
        assert [(each.name, each.folder) for each in pruned.files] == [(gone.name, str(elsewhere))]
        assert kept.exists()
        assert not gone.exists()
        assert pruned.kept == 1

    def test_of_a_namespace(self, run: TakenRun, folder: Path) -> None:
        self.stf(run, folder, 1)
        run.ended(1, closed=True)
        pruned = prune(folder, ManualClock(NOW), older_than=timedelta(0), namespace="other")
        assert pruned.files == ()
