"""Slices under anything that may happen to them, in any order: the figures hold, and nothing is done twice."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from slice_rows import make_run, make_slices
from store_fixture import opened
from swf.core.ids import CountingIds
from swf.core.times import ManualClock
from swf.core.work import MAX_RETRIES, WorkState
from swf.epic.agents.slice_results import is_current
from swf.epic.messages import SliceResult
from swf.epic.models import RunState, TfSlice
from swf.epic.run_counts import RunCounts
from swf.store.work import ConflictError, WorkMoves, by_request, held_by, overdue, waiting

LEASE_S = 100.0
HOLDERS = ("worker-1", "worker-2")
SLICES = 3

Answer = tuple[UUID, int, str]
"""A result that a worker sent: request, attempt, slice."""


class SliceMachine(RuleBasedStateMachine):
    """Three slices and two workers; the store is real."""

    def __init__(self, template: Path, file: Path) -> None:
        super().__init__()
        shutil.copyfile(template, file)
        self._stack = ExitStack()
        self._stack.enter_context(opened(file))
        self.clock = ManualClock()
        self.ids = CountingIds()
        make_slices(make_run(1, self.clock), SLICES, self.clock, self.ids)
        self.requests: list[Answer] = [(item.req_id, item.attempt + 1, item.name) for item in TfSlice.objects.all()]
        """Every request that ever stood: what a worker may still answer."""
        self.completions: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.redriven: Counter[str] = Counter()
        self.attempts: dict[str, int] = dict.fromkeys((name for _, _, name in self.requests), 0)

    def teardown(self) -> None:
        self._stack.close()

    @rule(holder=st.sampled_from(HOLDERS), limit=st.integers(1, SLICES))
    def claim(self, holder: str, limit: int) -> None:
        with self._moves() as moves:
            for item in waiting(TfSlice, "testbed", limit):
                moves.claim(item, holder, LEASE_S)

    @rule(data=st.data(), good=st.booleans(), repeats=st.integers(1, 2))
    def answer(self, data: st.DataObject, good: bool, repeats: int) -> None:
        """Any worker answers any request that ever stood: in time, late, or twice."""
        request, attempt, name = data.draw(st.sampled_from(self.requests))
        with self._moves() as moves:
            items = by_request(TfSlice, [request])
            for _ in range(repeats):
                item = items.get(request)
                if item is None or not is_current(item, _result(request, attempt)):
                    continue
                if good:
                    moves.complete(item)
                    self.completions[name] += 1
                else:
                    moves.fail(item, "it crashed")
                    self.failures[name] += 1

    @rule(seconds=st.sampled_from([1.0, LEASE_S / 2, LEASE_S + 1]))
    def leases_run_out(self, seconds: float) -> None:
        self.clock.advance(seconds)
        with self._moves() as moves:
            for item in overdue(TfSlice, "testbed", self.clock.now()):
                moves.fail(item, "lease_expired")
                self.failures[item.name] += 1

    @rule(holder=st.sampled_from(HOLDERS))
    def a_worker_stops(self, holder: str) -> None:
        with self._moves() as moves:
            for item in held_by(TfSlice, "testbed", holder):
                moves.release(item, "its worker stops")

    @rule(data=st.data())
    @precondition(lambda self: self._any({WorkState.QUEUED, WorkState.PROCESSING}))
    def is_cancelled(self, data: st.DataObject) -> None:
        with self._moves() as moves:
            moves.cancel(self._drawn(data, {WorkState.QUEUED, WorkState.PROCESSING}), "the run is stopped")

    @rule(data=st.data())
    @precondition(lambda self: self._any({WorkState.FAILED}))
    def is_redriven(self, data: st.DataObject) -> None:
        item = self._drawn(data, {WorkState.FAILED})
        with self._moves() as moves:
            moves.redrive(item, "an operator wants it")
        self.redriven[item.name] += 1

    @rule(data=st.data())
    @precondition(lambda self: self._any({WorkState.QUEUED}))
    def two_claim_the_same(self, data: st.DataObject) -> None:
        item = self._drawn(data, {WorkState.QUEUED})
        other = TfSlice.objects.get(pk=item.pk)
        with self._moves() as moves:
            moves.claim(item, HOLDERS[0], LEASE_S)
        with pytest.raises(ConflictError), self._moves() as moves:
            moves.claim(other, HOLDERS[1], LEASE_S)

    @invariant()
    def the_figures_of_the_run_are_the_counts_of_its_rows(self) -> None:
        words = Counter(TfSlice.objects.values_list("status", flat=True))
        state = RunState.objects.get()
        assert {
            "queued": state.slices_queued,
            "processing": state.slices_processing,
            "completed": state.slices_completed,
            "failed": state.slices_failed,
        } == {word: words[word] for word in ("queued", "processing", "completed", "failed")}
        assert sum(words.values()) == state.slices_created == SLICES

    @invariant()
    def every_slice_is_as_it_should_be(self) -> None:
        for item in TfSlice.objects.all():
            assert item.attempt >= self.attempts[item.name]
            self.attempts[item.name] = item.attempt
            allowed = MAX_RETRIES + self.redriven[item.name]
            assert self.failures[item.name] <= 1 + allowed
            assert item.retries == min(self.failures[item.name], allowed)
            assert item.max_retries == allowed
            assert self.completions[item.name] == (item.status == WorkState.COMPLETED)
            assert (item.lease_until is not None) == (item.status == WorkState.PROCESSING)
            if item.status == WorkState.FAILED:
                assert self.failures[item.name] == 1 + allowed

    def _moves(self) -> Moves:
        return Moves(self)

    def _any(self, states: set[WorkState]) -> bool:
        return TfSlice.objects.filter(status__in=states).exists()

    def _drawn(self, data: st.DataObject, states: set[WorkState]) -> TfSlice:
        return data.draw(st.sampled_from(list(TfSlice.objects.filter(status__in=states).order_by("id"))))


class Moves:
    """The moves of one transaction, written and counted at its end."""

    def __init__(self, machine: SliceMachine) -> None:
        self._machine = machine
        self._transaction = transaction.atomic()
        self._moves = WorkMoves(machine.ids, machine.clock.now())

    def __enter__(self) -> WorkMoves:
        self._transaction.__enter__()
        return self._moves

    def __exit__(self, *error: Any) -> None:
        try:
            if error[0] is None:
                self._moves.save()
                counts = RunCounts()
                counts.add_slice_moves(self._moves)
                counts.save(self._machine.clock.now())
        except ConflictError as conflict:
            self._transaction.__exit__(type(conflict), conflict, conflict.__traceback__)
            raise
        self._transaction.__exit__(*error)
        seen = {request for request, _, _ in self._machine.requests}
        moved = {move.item.req_id: move.item for move in self._moves.moves}
        self._machine.requests += [
            (request, item.attempt + 1, item.name) for request, item in moved.items() if request not in seen
        ]


def _result(request: UUID, attempt: int) -> SliceResult:
    return SliceResult.model_construct(req_id=request, attempt=attempt)


def test_slices_under_anything_that_may_happen(store_template: Path, tmp_path: Path) -> None:
    files = (tmp_path / f"{number}.sqlite3" for number in count())
    run_state_machine_as_test(
        lambda: SliceMachine(store_template, next(files)),
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
