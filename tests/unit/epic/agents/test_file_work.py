"""Work on files: claimed, done on threads, recorded once, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from epic_bench import EpicBench
from locked import locked
from slice_rows import make_run, make_stf
from swf.core.errors import DataError, DiskFullError, StorageError
from swf.core.work import WorkState
from swf.epic.agents.file_work import FileTask, FileWork
from swf.epic.models import StfFile
from swf.messaging.agent import Agent
from swf.messaging.runtime import Runtime
from swf.messaging.turn import Turn
from swf.store.models import Event
from swf.store.work import WorkMoves


class Worked:
    """A FileWork on STFs whose function the test decides."""

    def __init__(self, folder: Path, stfs: int = 1) -> None:
        self.bench = EpicBench(folder, roles=())
        run = make_run(1, self.bench.clock)
        for number in range(1, stfs + 1):
            make_stf(run, number, self.bench.clock, self.bench.ids, status=WorkState.QUEUED)
        self.outcome: Any = "done"
        self.recorded: list[str] = []
        self.start()

    def start(self) -> None:
        """A process starts."""
        task = FileTask(owner="verify", model=StfFile, start=lambda stf: (self._work, (stf.name,)), finish=self._finish)
        self.work = FileWork(task, io=self.bench.io, clock=self.bench.clock, lease_s=60.0)
        self.runtime: Runtime = self.bench.agents.runtime(Agent(role="data", reconcilers=(self.work,)))

    def step(self) -> bool:
        worked = self.runtime.step()
        self.bench.io.wait("verify")
        return worked

    def _work(self, name: str) -> str:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return str(self.outcome)

    def _finish(self, turn: Turn, moves: WorkMoves, done: Sequence[tuple[StfFile, str]]) -> Sequence[str]:
        for stf, result in done:
            moves.complete(stf)
            stf.adler32 = "d" * 8
            self.recorded.append(f"{stf.name} {result}")
        return ("adler32",)


@pytest.fixture
def worked(sqlite_store: Path, tmp_path: Path) -> Iterator[Worked]:
    worked = Worked(tmp_path)
    yield worked
    worked.bench.close()


def stf() -> StfFile:
    return StfFile.objects.get(sequence=1)


def events() -> list[str]:
    return list(Event.objects.filter(kind="transition").order_by("seq").values_list("type", flat=True))


def test_an_item_is_claimed_done_and_recorded(worked: Worked) -> None:
    assert worked.step()
    assert (stf().status, stf().attempt, stf().lease_holder) == ("processing", 1, worked.runtime.identity.name)
    assert worked.step()
    assert (stf().status, stf().adler32, stf().lease_until) == ("completed", "d" * 8, None)
    assert events() == ["claim", "complete"]
    assert not worked.step()


def test_no_more_are_taken_than_the_window_holds(sqlite_store: Path, tmp_path: Path) -> None:
    worked = Worked(tmp_path, stfs=40)
    worked.step()
    assert StfFile.objects.filter(status="processing").count() == 16
    while worked.step():
        pass
    assert StfFile.objects.filter(status="completed").count() == 40
    assert len(worked.recorded) == 40
    worked.bench.close()


def test_what_may_pass_is_tried_again_and_what_will_not_is_not(worked: Worked) -> None:
    worked.outcome = StorageError("the disk does not answer")
    for _ in range(2):
        worked.step()
    assert (stf().status, stf().retries, stf().reason) == ("processing", 1, "the disk does not answer")
    worked.outcome = DataError("truncated")
    while worked.step():
        pass
    assert (stf().status, stf().reason) == ("failed", "truncated")
    assert stf().retries <= 2


def test_what_a_full_disk_refuses_waits_for_room_and_uses_no_try_up(worked: Worked) -> None:
    worked.outcome = DiskFullError("the disk is full")
    for _ in range(20):
        worked.step()
        worked.bench.clock.advance(1.0)
    assert (stf().retries, stf().reason) == (0, "the disk is full")
    assert 5 <= stf().attempt <= 11, "one try a second at most"
    worked.outcome = "done"
    for _ in range(4):
        worked.step()
        worked.bench.clock.advance(1.0)
    assert stf().status == "completed"


def test_an_error_that_nobody_expected_fails_the_item_and_not_the_agent(worked: Worked) -> None:
    worked.outcome = ZeroDivisionError("division by zero")
    while worked.step():
        pass
    kept = stf()
    assert (kept.status, kept.attempt, kept.retries) == ("failed", 4, 3)
    assert kept.reason == "ZeroDivisionError: division by zero"


def test_a_result_is_not_lost_where_the_database_fails_at_its_recording(worked: Worked, sqlite_store: Path) -> None:
    worked.step()
    for _ in range(2):
        with locked(sqlite_store), pytest.raises(OperationalError, match="locked"):
            worked.step()
    assert stf().status == "processing"
    while worked.step():
        pass
    assert stf().status == "completed"
    assert events() == ["claim", "complete"]
    assert worked.recorded == ["swf.1.000001.stf done"]


def test_a_failure_is_not_lost_where_the_database_fails_at_its_recording(worked: Worked, sqlite_store: Path) -> None:
    worked.outcome = DataError("truncated")
    worked.step()
    with locked(sqlite_store), pytest.raises(OperationalError, match="locked"):
        worked.step()
    while worked.step():
        pass
    assert (stf().status, stf().reason) == ("failed", "truncated")
    assert events() == ["claim", "fail"]


def test_a_claim_that_did_not_commit_is_made_later(worked: Worked, sqlite_store: Path) -> None:
    with locked(sqlite_store), pytest.raises(OperationalError, match="locked"):
        worked.step()
    while worked.step():
        pass
    assert (stf().status, stf().attempt) == ("completed", 1)


def test_what_a_dead_process_held_is_done_again(worked: Worked) -> None:
    worked.step()
    worked.bench.kill()
    worked.bench.start()
    worked.start()
    while worked.step():
        pass
    assert (stf().status, stf().attempt, stf().retries) == ("completed", 2, 0)
    assert events() == ["claim", "release", "claim", "complete"]


def test_what_another_agent_held_that_does_not_come_back_is_done_once_its_lease_has_passed(worked: Worked) -> None:
    until = worked.bench.clock.now() + timedelta(seconds=60)
    StfFile.objects.update(status="processing", attempt=1, lease_holder="data-agent-bob-9", lease_until=until)
    for seconds in (0, 59):
        worked.bench.clock.advance(seconds)
        worked.step()
        assert (stf().status, stf().lease_holder) == ("processing", "data-agent-bob-9")
    worked.bench.clock.advance(6)
    while worked.step():
        pass
    assert (stf().status, stf().attempt, stf().retries) == ("completed", 2, 0)
    assert events() == ["release", "claim", "complete"]


def test_what_takes_longer_here_than_its_lease_is_not_begun_again(worked: Worked) -> None:
    worked.runtime.step()
    worked.bench.clock.advance(600)
    while worked.step():
        pass
    assert (stf().status, stf().attempt) == ("completed", 1)


def test_recovery_is_made_up_for_where_the_database_fails_at_the_start(worked: Worked, sqlite_store: Path) -> None:
    worked.step()
    worked.bench.kill()
    worked.bench.start()
    worked.start()
    with locked(sqlite_store), pytest.raises(OperationalError, match="locked"):
        worked.step()
    while worked.step():
        pass
    assert stf().status == "completed"


def test_a_result_of_an_item_that_was_taken_away_meanwhile_is_late(worked: Worked) -> None:
    worked.step()
    moves = WorkMoves(worked.bench.ids, worked.bench.clock.now())
    moves.cancel(stf_row := stf(), "the run is of no use")
    moves.save()
    while worked.step():
        pass
    assert stf().status == "cancelled"
    assert stf().adler32 == stf_row.adler32
    assert worked.recorded == []


def test_a_result_of_an_attempt_that_is_not_the_latest_is_late(worked: Worked) -> None:
    worked.step()
    moves = WorkMoves(worked.bench.ids, worked.bench.clock.now())
    item = stf()
    moves.release(item, "somebody else shall do it")
    moves.claim(item, "data-agent-bob-1", 60.0)
    moves.save()
    while worked.step():
        pass
    assert (stf().status, stf().lease_holder) == ("processing", "data-agent-bob-1")
    assert worked.recorded == []
