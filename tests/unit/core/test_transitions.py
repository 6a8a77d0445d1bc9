"""Lifecycles as data."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.core.errors import IllegalMoveError
from swf.core.transitions import Move, TransitionTable, label
from swf.core.work import UNFINISHED, WORK_TABLE, WorkState, WorkTrigger, may_retry


class Push(StrEnum):
    ON = "on"
    OFF = "off"
    BREAK = "break"


TABLE = TransitionTable(
    "lamp",
    "dark",
    (
        Move(source="dark", trigger=Push.ON, target="lit"),
        Move(source="lit", trigger=Push.OFF, target="dark"),
        Move(source="lit", trigger=Push.BREAK, target="broken"),
    ),
)


def test_a_move_that_is_in_the_table_is_made() -> None:
    assert TABLE.target("dark", Push.ON) == "lit"
    assert TABLE.allows("dark", Push.ON)
    assert list(TABLE.triggers("lit")) == [Push.OFF, Push.BREAK]


def test_a_move_that_is_not_is_refused_and_the_legal_ones_are_named() -> None:
    assert not TABLE.allows("dark", Push.OFF)
    with pytest.raises(IllegalMoveError, match="lamp: off is not legal in state dark; legal here: on"):
        TABLE.target("dark", Push.OFF)
    with pytest.raises(IllegalMoveError, match="this state is final"):
        TABLE.target("broken", Push.ON)


def test_two_moves_of_one_trigger_from_one_state_are_a_mistake() -> None:
    twice = (Move(source="dark", trigger=Push.ON, target="lit"), Move(source="dark", trigger=Push.ON, target="dark"))
    with pytest.raises(ValueError, match="'lamp' has two moves"):
        TransitionTable("lamp", "dark", twice)


def test_the_diagram_shows_every_move_and_the_ends() -> None:
    assert TABLE.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> dark",
        "    dark --> lit: on",
        "    lit --> dark: off",
        "    lit --> broken: break",
        "    broken --> [*]",
    ]
    assert label(("run", "physics")) == "run/physics"


@given(st.sampled_from(WorkState), st.sampled_from(WorkTrigger))
def test_the_lifecycle_of_work_items_moves_only_by_its_table(state: WorkState, trigger: WorkTrigger) -> None:
    listed = {(move.source, move.trigger): move.target for move in WORK_TABLE.moves}
    if (state, trigger) in listed:
        assert WORK_TABLE.target(state, trigger) is listed[state, trigger]
    else:
        with pytest.raises(IllegalMoveError, match=f"work item: {trigger} is not legal in state {state}"):
            WORK_TABLE.target(state, trigger)


def test_every_state_of_work_can_be_reached_and_what_is_unfinished_can_end() -> None:
    reached = {WORK_TABLE.initial}
    for _ in WorkState:
        reached |= {move.target for move in WORK_TABLE.moves if move.source in reached}
    assert reached == set(WorkState)
    for state in UNFINISHED:
        assert WORK_TABLE.target(state, WorkTrigger.COMPLETE) is WorkState.COMPLETED
        assert WORK_TABLE.target(state, WorkTrigger.CANCEL) is WorkState.CANCELLED
    assert not list(WORK_TABLE.triggers(WorkState.COMPLETED))
    assert not list(WORK_TABLE.triggers(WorkState.CANCELLED))


def test_three_retries_make_at_most_four_attempts() -> None:
    assert [may_retry(retries) for retries in range(5)] == [True, True, True, False, False]
    assert not may_retry(0, max_retries=0)
