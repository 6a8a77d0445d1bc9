"""The operator's verbs on dead letters."""

from __future__ import annotations

import json

import pytest

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.core.scene import Scene, only
from swf.service.queries.dead_letters import LETTERS, OPEN, discard_letter, redrive_letter, show_letter
from swf.store.listing import Question
from taken_run import NOW, TakenRun

SCENE = Scene(now=NOW)
OTHER = Scene(now=NOW, namespaces=only("other"))

pytestmark = pytest.mark.usefixtures("store")


def test_those_that_wait() -> None:
    run = TakenRun()
    waiting = [run.letter().pk, run.letter("retrying", redrive_at=NOW).pk]
    decided = run.letter("discarded").pk
    open_ones = Question(filters={"state": ",".join(OPEN)}, sort="id")
    assert [letter.id for letter in LETTERS.every(open_ones, SCENE)] == waiting
    assert [letter.id for letter in LETTERS.every(Question(sort="id"), SCENE)] == [*waiting, decided]
    assert list(LETTERS.every(Question(), OTHER)) == []


def test_one_as_it_was_received() -> None:
    pk = TakenRun().letter(body='{"msg_type": "stf_gen"}').pk
    letter = show_letter(pk, SCENE)
    assert letter.body == '{"msg_type": "stf_gen"}'
    assert json.loads(json.dumps(letter.as_json()))["reason"] == "it was registered with another content"


def test_once_more() -> None:
    letter = redrive_letter(TakenRun().letter(attempts=6).pk, "me", SCENE)
    assert (letter.state, letter.redrive_at, letter.decided_by, letter.attempts) == ("retrying", NOW, "me", 0)


def test_given_up_with_a_reason() -> None:
    letter = discard_letter(TakenRun().letter().pk, "me", "a test message", SCENE)
    assert letter.state == "discarded"
    assert letter.reason.endswith("discarded: a test message")


def test_only_what_waits_is_decided() -> None:
    pk = TakenRun().letter("redriven").pk
    with pytest.raises(IllegalMoveError, match="only a parked one"):
        redrive_letter(pk, "me", SCENE)
    with pytest.raises(IllegalMoveError, match="only a parked one"):
        discard_letter(pk, "me", "why", SCENE)


def test_an_unknown_one() -> None:
    with pytest.raises(UnknownNameError, match="no dead letter 99"):
        show_letter(99, SCENE)
    with pytest.raises(UnknownNameError, match="no dead letter 99"):
        redrive_letter(99, "me", SCENE)


def test_one_of_another_namespace() -> None:
    pk = TakenRun().letter().pk
    with pytest.raises(UnknownNameError, match=r"there is no dead letter \d+ in namespace 'other'"):
        discard_letter(pk, "me", "why", OTHER)
