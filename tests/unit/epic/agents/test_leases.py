"""Leases of slices: they run out with time, and not because somebody set a clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from messaging_bench import Bench
from slice_rows import make_run, make_slices
from swf.epic.agents.leases import LeaseKeeper
from swf.epic.models import TfSlice
from swf.messaging.agent import Agent
from swf.store.models import Attempt

LEASE_S, HOUR_S = 60.0, 3600.0


class Leases:
    """A slice that a worker has claimed, and who looks at its lease."""

    def __init__(self) -> None:
        self.bench = Bench("embedded")
        self.clock = self.bench.clock
        self.keeper = LeaseKeeper("testbed", self.clock, send=lambda turn, item, stf, execution_id: None)
        self.runtime = self.bench.runtime(Agent(role="fast_processing", reconcilers=(self.keeper,)))
        (item,) = make_slices(make_run(1, self.clock), 1, self.clock, self.bench.ids)
        self._pk = item.pk
        self.claim()

    def claim(self) -> None:
        """A worker takes it."""
        with self.runtime.turn() as turn:
            moves = turn.moves()
            moves.claim(self.item, "worker-agent-bob-1", LEASE_S)
            moves.save()

    def renew(self) -> None:
        """Its worker says that it is at it still."""
        TfSlice.objects.filter(pk=self._pk).update(lease_until=self.clock.now() + timedelta(seconds=LEASE_S))

    @property
    def item(self) -> TfSlice:
        return TfSlice.objects.get(pk=self._pk)

    def look(self, after_s: float = 1.0) -> str:
        """What the slice is when it was looked at next."""
        self.clock.advance(after_s)
        self.runtime.step()
        return self.item.status


@pytest.fixture
def leases(store: Path) -> Leases:
    return Leases()


def test_a_lease_that_is_renewed_stands_and_one_that_is_not_runs_out(leases: Leases) -> None:
    assert leases.look(LEASE_S - 1) == "processing"
    leases.renew()
    assert leases.look(LEASE_S - 1) == "processing"
    assert leases.look(2.0) == "queued"
    assert Attempt.objects.get().outcome == "lease_expired"


def test_a_clock_that_is_set_ahead_lets_no_lease_run_out(leases: Leases) -> None:
    assert leases.look() == "processing"
    leases.clock.leap(HOUR_S)
    assert leases.look(LEASE_S - 10) == "processing"
    leases.renew()
    assert leases.look(LEASE_S - 1) == "processing"
    assert leases.look(2.0) == "queued"


def test_after_a_leap_ahead_a_worker_that_is_gone_is_noticed_in_its_time(leases: Leases) -> None:
    assert leases.look() == "processing"
    leases.clock.leap(HOUR_S)
    assert leases.look(LEASE_S - 10) == "processing"
    assert leases.look(10.0) == "queued"
    # What is claimed by the new clock goes by it alone.
    leases.claim()
    assert leases.look(LEASE_S - 1) == "processing"
    assert leases.look(2.0) == "queued"


def test_two_leaps_ahead_are_as_one(leases: Leases) -> None:
    assert leases.look() == "processing"
    for _ in range(2):
        leases.clock.leap(HOUR_S)
        assert leases.look(20.0) == "processing"
    assert leases.look(20.0) == "queued"


def test_what_is_claimed_between_a_leap_back_and_one_ahead_keeps_its_lease(leases: Leases) -> None:
    assert leases.look() == "processing"
    for leap_s in (-HOUR_S, HOUR_S):
        leases.clock.leap(leap_s)
        leases.look(0.1)
        leases.renew()
    assert leases.look(LEASE_S - 1) == "processing"
    leases.clock.leap(-HOUR_S)
    leases.look(0.1)
    leases.renew()
    leases.clock.leap(HOUR_S)
    assert leases.look(0.1) == "processing"
    assert leases.look(LEASE_S - 1) == "processing"
    assert leases.look(2.0) == "queued"


def test_a_clock_that_is_set_back_lets_leases_last_longer_and_no_shorter(leases: Leases) -> None:
    assert leases.look() == "processing"
    leases.clock.leap(-HOUR_S)
    assert leases.look(LEASE_S + 10) == "processing"
    leases.renew()
    assert leases.look(LEASE_S - 1) == "processing"
    assert leases.look(2.0) == "queued"


def test_a_clock_that_is_set_ahead_again_is_right_again(leases: Leases) -> None:
    leases.look()
    leases.clock.leap(-HOUR_S)
    leases.look()
    leases.renew()
    leases.clock.leap(HOUR_S)
    assert leases.look(LEASE_S - 2) == "processing"
    assert leases.look(3.0) == "queued"
