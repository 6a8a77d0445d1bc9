"""The operator's verbs on dead letters."""

from __future__ import annotations

import json

import pytest

from swf.core.errors import IllegalMoveError, UnknownNameError
from swf.epic.usecases.dead_letters import discard_letter, list_letters, redrive_letter, show_letter
from taken_run import NOW, TakenRun

pytestmark = pytest.mark.usefixtures("store")


def test_those_that_wait() -> None:
    run = TakenRun()
    waiting = [run.letter().pk, run.letter("retrying", redrive_at=NOW).pk]
    decided = run.letter("discarded").pk
    assert [letter.id for letter in list_letters()] == waiting
    assert [letter.id for letter in list_letters(every=True)] == [*waiting, decided]
    assert list_letters("other") == ()


def test_one_as_it_was_received() -> None:
    pk = TakenRun().letter(body='{"msg_type": "stf_gen"}').pk
    letter = show_letter(pk)
    assert letter.body == '{"msg_type": "stf_gen"}'
    assert json.loads(json.dumps(letter.as_json()))["reason"] == "it was registered with another content"


def test_once_more() -> None:
    letter = redrive_letter(TakenRun().letter(attempts=6).pk, "me", NOW)
    assert (letter.state, letter.redrive_at, letter.decided_by, letter.attempts) == ("retrying", NOW, "me", 0)


def test_given_up_with_a_reason() -> None:
    letter = discard_letter(TakenRun().letter().pk, "me", "a test message")
    assert letter.state == "discarded"
    assert letter.reason.endswith("discarded: a test message")


def test_only_what_waits_is_decided() -> None:
    pk = TakenRun().letter("redriven").pk
    with pytest.raises(IllegalMoveError, match="only a parked one"):
        redrive_letter(pk, "me", NOW)
    with pytest.raises(IllegalMoveError, match="only a parked one"):
        discard_letter(pk, "me", "why")


def test_an_unknown_one() -> None:
    with pytest.raises(UnknownNameError, match="no dead letter 99"):
        show_letter(99)
    with pytest.raises(UnknownNameError, match="no dead letter 99"):
        redrive_letter(99, "me", NOW)


def test_one_of_another_namespace() -> None:
    pk = TakenRun().letter().pk
    with pytest.raises(UnknownNameError, match="not of namespace 'other'"):
        discard_letter(pk, "me", "why", "other")
