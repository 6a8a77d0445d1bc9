"""Names that the system gives, and the check of names that come from outside."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.core.destinations import is_topic
from swf.core.errors import MalformedMessageError
from swf.core.names import agent_name, checked_file_name, dataset_name, execution_id, is_namespace

NAME_CHARACTERS = st.characters(codec="ascii", categories=("Lu", "Ll", "Nd"), include_characters="._+-")


def test_names_have_the_forms_that_others_know() -> None:
    assert execution_id("stf_datataking", "wenaus", 39) == "stf_datataking-wenaus-0039"
    assert agent_name("fastmon", "wenaus", 7) == "fastmon-agent-wenaus-7"
    assert dataset_name(101993) == "swf.101993.run"


@given(st.text(NAME_CHARACTERS, max_size=220))
def test_an_accepted_file_name_stays_in_its_folder(name: str) -> None:
    try:
        checked = checked_file_name(name)
    except MalformedMessageError:
        assert not name or not name[0].isalnum() or ".." in name or len(name) > 200
    else:
        assert checked == name
        assert PurePosixPath("/folder", name).parent == PurePosixPath("/folder")
        assert PurePosixPath("/folder", name).name == name


@given(st.text(min_size=1))
def test_no_file_name_of_any_characters_leaves_its_folder(name: str) -> None:
    try:
        checked_file_name(name)
    except MalformedMessageError:
        return
    assert name.isascii()
    assert not set(name) & set("/\\\0\n ")


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "/etc/passwd", "a\\b", "a\n", "a..b", "x" * 201, "ä"]
)
def test_these_file_names_are_refused(name: str) -> None:
    with pytest.raises(MalformedMessageError, match="not a plain file name"):
        checked_file_name(name)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("prod", True),
        ("torre-1_a", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("-a", False),
        ("a\n", False),
    ],
)
def test_namespaces(name: str, good: bool) -> None:
    assert is_namespace(name) is good


def test_a_destination_is_a_topic_or_a_queue() -> None:
    assert is_topic("/topic/epictopic")
    assert not is_topic("/queue/panda.transformer.slices")
    with pytest.raises(ValueError, match="'epictopic' must start with /topic/, /queue/ or /shared-queue/"):
        is_topic("epictopic")
