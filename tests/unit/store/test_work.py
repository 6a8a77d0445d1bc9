"""The engine of work items."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from slice_rows import make_run, make_slices
from swf.core.errors import IllegalMoveError
from swf.core.ids import CountingIds
from swf.core.times import ManualClock
from swf.core.work import WORK_TABLE, WorkState, WorkTrigger
from swf.epic.models import TfSlice
from swf.store import bulk
from swf.store.models import Event
from swf.store.work import ConflictError, WorkMoves, by_request, held_by, overdue, transition_rows, waiting

LEASE_S = 60.0


class Engine:
    """Slices, and moves of them at the clock's instant."""

    def __init__(self, count: int = 1) -> None:
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.items = make_slices(make_run(1, self.clock), count, self.clock, self.ids)

    def moves(self) -> WorkMoves:
        return WorkMoves(self.ids, self.clock.now())

    def claimed(self, item: TfSlice, holder: str = "worker-1") -> TfSlice:
        moves = self.moves()
        moves.claim(item, holder, LEASE_S)
        moves.save()
        return item


@pytest.fixture
def engine(store: Path) -> Engine:
    return Engine()


def row(item: TfSlice) -> TfSlice:
    return TfSlice.objects.get(pk=item.pk)


def test_a_claim_begins_an_attempt_under_a_lease(engine: Engine) -> None:
    (item,) = engine.items
    engine.claimed(item)
    kept = row(item)
    assert (kept.status, kept.attempt, kept.lease_holder) == ("processing", 1, "worker-1")
    assert kept.lease_until == engine.clock.now() + timedelta(seconds=LEASE_S)
    assert kept.updated_at == engine.clock.now()


def test_a_completed_item_is_final(engine: Engine) -> None:
    (item,) = engine.items
    engine.claimed(item)
    moves = engine.moves()
    moves.complete(item)
    moves.save()
    kept = row(item)
    assert (kept.status, kept.lease_until, kept.attempt) == ("completed", None, 1)
    for move in (moves.complete, lambda i: moves.fail(i, "no"), lambda i: moves.cancel(i, "no")):
        with pytest.raises(IllegalMoveError):
            move(kept)


def test_a_failed_item_is_queued_again_under_a_new_request_while_retries_remain(engine: Engine) -> None:
    (item,) = engine.items
    requests = {item.req_id}
    for retries in range(1, 4):
        engine.claimed(item)
        moves = engine.moves()
        assert moves.fail(item, f"failure {retries}")
        moves.save()
        kept = row(item)
        assert (kept.status, kept.retries, kept.reason, kept.lease_holder) == (
            "queued",
            retries,
            f"failure {retries}",
            "",
        )
        requests.add(kept.req_id)
    engine.claimed(item)
    moves = engine.moves()
    assert not moves.fail(item, "the last")
    moves.save()
    kept = row(item)
    assert (kept.status, kept.attempt, kept.retries, kept.reason) == ("failed", 4, 3, "the last")
    assert len(requests) == 4


def test_an_error_that_will_not_pass_is_not_tried_again(engine: Engine) -> None:
    (item,) = engine.items
    engine.claimed(item)
    moves = engine.moves()
    assert not moves.fail(item, "the file is corrupted", retry=False)
    moves.save()
    assert (row(item).status, row(item).retries) == ("failed", 0)


def test_to_hand_back_uses_up_no_retry(engine: Engine) -> None:
    (item,) = engine.items
    request = item.req_id
    engine.claimed(item)
    moves = engine.moves()
    moves.release(item, "its worker stops")
    moves.save()
    kept = row(item)
    assert (kept.status, kept.retries, kept.attempt, kept.lease_holder) == ("queued", 0, 1, "")
    assert kept.req_id != request


def test_an_operator_s_retry_is_one_more(engine: Engine) -> None:
    (item,) = engine.items
    item.retries, item.status, item.attempt = 3, WorkState.FAILED, 4
    item.save()
    moves = engine.moves()
    moves.redrive(item, "ann: the disk is there again")
    moves.save()
    kept = row(item)
    assert (kept.status, kept.retries, kept.max_retries, kept.attempt) == ("queued", 4, 4, 4)
    moves = engine.moves()
    assert not moves.fail(item, "the disk is full again")
    moves.save()
    assert (row(item).status, row(item).retries, row(item).max_retries) == ("failed", 4, 4)


def test_an_operator_s_retry_of_what_has_retries_left_uses_one_of_them(engine: Engine) -> None:
    (item,) = engine.items
    item.retries, item.status, item.attempt = 1, WorkState.FAILED, 2
    item.save()
    moves = engine.moves()
    moves.redrive(item, "ann: it was my mistake")
    moves.save()
    assert (row(item).retries, row(item).max_retries) == (2, 3)


@pytest.mark.parametrize("trigger", [WorkTrigger.CANCEL, WorkTrigger.EXPIRE])
def test_an_item_can_be_taken_away(engine: Engine, trigger: WorkTrigger) -> None:
    (item,) = engine.items
    moves = engine.moves()
    {WorkTrigger.CANCEL: moves.cancel, WorkTrigger.EXPIRE: moves.expire}[trigger](item, "no longer wanted")
    moves.save()
    assert (row(item).status, row(item).reason) == (WORK_TABLE.target(WorkState.QUEUED, trigger), "no longer wanted")


def test_an_attempt_of_a_worker_that_does_not_claim_counts_as_well(engine: Engine) -> None:
    (item,) = engine.items
    moves = engine.moves()
    moves.fail(item, "it crashed")
    moves.save()
    assert (row(item).attempt, row(item).status) == (1, "queued")
    moves = engine.moves()
    moves.complete(item)
    moves.save()
    assert (row(item).attempt, row(item).status) == (2, "completed")


@pytest.mark.parametrize("state", WorkState)
@pytest.mark.parametrize("trigger", [t for t in WorkTrigger if t is not WorkTrigger.RETRY])
def test_an_illegal_move_changes_nothing(engine: Engine, state: WorkState, trigger: WorkTrigger) -> None:
    if WORK_TABLE.allows(state, trigger):
        return
    (item,) = engine.items
    item.status, item.retries, item.reason = state, 2, "before"
    before = dict(item.__dict__)
    moves = engine.moves()
    actions = {
        WorkTrigger.CLAIM: lambda: moves.claim(item, "w", 1.0),
        WorkTrigger.COMPLETE: lambda: moves.complete(item),
        WorkTrigger.FAIL: lambda: moves.fail(item, "x"),
        WorkTrigger.RELEASE: lambda: moves.release(item, "x"),
        WorkTrigger.EXPIRE: lambda: moves.expire(item, "x"),
        WorkTrigger.CANCEL: lambda: moves.cancel(item, "x"),
        WorkTrigger.REDRIVE: lambda: moves.redrive(item, "x"),
    }
    with pytest.raises(IllegalMoveError):
        actions[trigger]()
    assert item.__dict__ == before
    assert moves.moves == []


def test_of_two_who_claim_one_item_one_gets_it(engine: Engine) -> None:
    (item,) = engine.items
    mine, theirs = row(item), row(item)
    engine.claimed(mine, "mine")
    with pytest.raises(ConflictError, match="1 of 1 TfSlice rows were moved by another"):
        engine.claimed(theirs, "theirs")
    assert row(item).lease_holder == "mine"


def test_a_stale_view_conflicts_also_where_state_and_attempt_are_the_same_again(engine: Engine) -> None:
    (item,) = engine.items
    engine.claimed(item)
    moves = engine.moves()
    moves.release(item, "back")
    moves.save()
    stale = row(item)
    moves = engine.moves()
    moves.expire(item, "too late")
    moves.redrive(item, "ann wants it")
    moves.save()
    assert (row(item).status, row(item).attempt) == (stale.status, stale.attempt)
    with pytest.raises(ConflictError):
        engine.claimed(stale)


def test_several_moves_of_one_item_are_written_as_one(engine: Engine) -> None:
    (item,) = engine.items
    moves = engine.moves()
    moves.claim(item, "w", 1.0)
    moves.fail(item, "no")
    moves.claim(item, "w", 1.0)
    moves.complete(item)
    moves.save()
    kept = row(item)
    assert (kept.status, kept.attempt, kept.retries) == ("completed", 2, 1)
    assert [move.trigger for move in moves.moves] == ["claim", "fail", "retry", "claim", "complete"]


def test_the_tally_tells_what_came_and_went(store: Path) -> None:
    engine = Engine(4)
    moves = engine.moves()
    for item in engine.items:
        moves.claim(item, "w", 1.0)
    moves.complete(engine.items[0])
    moves.fail(engine.items[1], "no")
    net = dict.fromkeys(WorkState, 0)
    for (run, state, sign), number in moves.tally().items():
        assert run == 1
        net[state] += sign * number
    assert net == dict.fromkeys(WorkState, 0) | {
        WorkState.QUEUED: -3,
        WorkState.PROCESSING: 2,
        WorkState.COMPLETED: 1,
    }


def test_further_fields_are_written_with_the_moves(engine: Engine) -> None:
    (item,) = engine.items
    engine.claimed(item)
    moves = engine.moves()
    moves.complete(item)
    item.hits_found = 12
    moves.save(("hits_found",))
    assert row(item).hits_found == 12


def test_a_move_is_logged_with_the_attempt_and_the_holder_that_it_was_of(engine: Engine) -> None:
    (item,) = engine.items
    moves = engine.moves()
    moves.claim(item, "worker-1", 1.0)
    moves.fail(item, "it crashed")
    moves.save()
    bulk.insert(Event, transition_rows(moves.moves, "fast_processing-agent-ann-5"))
    rows = Event.objects.order_by("seq")
    assert [(e.type, e.subject, e.run_number, e.sender) for e in rows] == [
        (trigger, item.name, 1, "fast_processing-agent-ann-5") for trigger in ("claim", "fail", "retry")
    ]
    claim, fail, retry = (json.loads(e.body) for e in rows)
    assert claim == {
        "item": "TfSlice",
        "from": "queued",
        "to": "processing",
        "attempt": 1,
        "holder": "worker-1",
        "note": "",
    }
    assert (fail["from"], fail["to"], fail["holder"], fail["note"]) == (
        "processing",
        "failed",
        "worker-1",
        "it crashed",
    )
    assert (retry["from"], retry["to"], retry["attempt"]) == ("failed", "queued", 1)


def test_items_are_found_by_what_they_wait_for(store: Path) -> None:
    engine = Engine(5)
    first, second, third, *_ = engine.items
    old = third.req_id
    engine.claimed(first, "worker-1")
    engine.clock.advance(30)
    engine.claimed(second, "worker-2")
    moves = engine.moves()
    moves.fail(third, "no")
    moves.save()
    assert waiting(TfSlice, "testbed", 2) == engine.items[2:4]
    assert waiting(TfSlice, "prod", 2) == []
    assert held_by(TfSlice, "testbed", "worker-1") == [first]
    assert overdue(TfSlice, "testbed", engine.clock.now()) == []
    engine.clock.advance(30.001)
    assert overdue(TfSlice, "testbed", engine.clock.now()) == [first]
    assert overdue(TfSlice, "prod", engine.clock.now()) == []
    assert by_request(TfSlice, [first.req_id, old]) == {first.req_id: first}, "an old request stands for nothing"
