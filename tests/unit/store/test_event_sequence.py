"""The event log: a reader that holds a cursor over `seq` misses nothing."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from swf.core.times import ManualClock
from swf.store import bulk, events
from swf.store.models import Event, WorkflowMessage

NOW = ManualClock().now()


def write(*types: str, kind: str = Event.Kind.TRANSITION) -> None:
    bulk.insert(
        Event,
        [
            {"kind": kind, "type": t, "namespace": "testbed", "sender": "a", "created_at": NOW, "body": "{}"}
            for t in types
        ],
    )


def test_rows_are_numbered_at_their_insert(sqlite_store: Path) -> None:
    write("a", "b")
    Event.objects.create(kind="transition", type="c", namespace="testbed", sender="a", created_at=NOW, body="{}")
    assert list(Event.objects.order_by("seq").values_list("type", flat=True)) == ["a", "b", "c"]
    numbers = list(Event.objects.order_by("seq").values_list("seq", flat=True))
    assert None not in numbers
    assert numbers == sorted(set(numbers))


def test_a_number_that_was_seen_as_the_last_is_never_followed_by_a_lower_one(sqlite_store: Path) -> None:
    write("a")
    with transaction.atomic():
        write("rolled back")
        transaction.set_rollback(True)
    last = Event.objects.order_by("-seq").values_list("seq", flat=True)[0]
    write("b")
    # Also where the newest rows are deleted, as pruning may.
    newest = Event.objects.get(type="b")
    assert newest.seq is not None
    assert newest.seq > last
    newest.delete()
    write("c")
    assert Event.objects.get(type="c").seq > newest.seq


def test_appended_rows_are_numbered_as_the_others_are(sqlite_store: Path) -> None:
    row = {"kind": "transition", "namespace": "testbed", "sender": "a", "created_at": NOW, "body": "{}"}
    # The first rows of a log, rows behind such that the trigger numbered, and rows behind deleted ones.
    events.append([row | {"type": "a"}, row | {"type": "b"}])
    write("c")
    events.append([row | {"type": "d"}])
    Event.objects.get(type="d").delete()
    events.append([row | {"type": "e"}, row | {"type": "f"}])
    rows = list(Event.objects.order_by("seq").values_list("type", "seq", "id"))
    assert rows == [("a", 1, 1), ("b", 2, 2), ("c", 3, 3), ("e", 5, 5), ("f", 6, 6)]


def test_the_view_of_messages_shows_only_messages(store: Path) -> None:
    write("claim")
    write("stf_gen", kind=Event.Kind.MESSAGE)
    assert [row.type for row in WorkflowMessage.objects.all()] == ["stf_gen"]


def test_a_message_is_logged_once(store: Path) -> None:
    row = {"kind": "message", "type": "a", "namespace": "n", "sender": "a", "created_at": NOW, "body": "{}"}
    bulk.insert(Event, [row | {"message_id": UUID(int=1)}])
    with pytest.raises(IntegrityError):
        bulk.insert(Event, [row | {"message_id": UUID(int=1)}])
