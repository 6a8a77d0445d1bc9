"""Many rows in one round trip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from swf.core.times import ManualClock
from swf.core.work import WorkState
from swf.store import bulk
from swf.store.models import Counter, Event, Product, Run, SystemAgent

NOW = ManualClock().now()


def event(**changes: Any) -> dict[str, Any]:
    return {
        "kind": Event.Kind.TRANSITION,
        "type": "claim",
        "namespace": "testbed",
        "sender": "a",
        "created_at": NOW,
        "body": "{}",
    } | changes


def product(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "testbed",
        "kind": "slice",
        "location": "1/x",
        "size_bytes": 2**40,
        "adler32": "0" * 8,
        "sha256": "0" * 64,
        "made_from": "s",
        "item": "i",
        "created_at": NOW,
    } | changes


def test_rows_are_inserted_with_the_models_defaults(store: Path) -> None:
    message_id = UUID(int=7)
    assert bulk.insert(Event, [event(message_id=message_id), event(message_id=None, subject="ü 😀")][:1]) == 1
    row = Event.objects.get()
    assert (row.message_id, row.created_at, row.run_number) == (message_id, NOW, None)
    assert (row.execution_id, row.sender_seq, row.kind) == ("", 0, "transition")


def test_all_values_come_back_as_the_models_have_them(store: Path) -> None:
    parameters = {"a": [1, None, "ü"], "b": {"c": 1.5}}
    assert bulk.insert(Product, [product("x", parameters=parameters, simulated=True)]) == 1
    made = Product.objects.get()
    assert (made.parameters, made.summary, made.simulated, made.size_bytes) == (parameters, {}, True, 2**40)
    again = Product(name="y", **{key: value for key, value in product("x").items() if key != "name"})
    again.save()
    again.refresh_from_db()
    bulk.insert(Product, [product("z")])
    other = Product.objects.get(name="z")
    for field in Product._meta.concrete_fields:
        if field.name not in {"id", "name"}:
            assert getattr(other, field.name) == getattr(again, field.name), field.name


def test_an_instant_is_kept_in_utc(store: Path) -> None:
    local = datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=2)))
    bulk.insert(Event, [event(created_at=local), event(created_at=local.astimezone(UTC))])
    assert {row.created_at for row in Event.objects.all()} == {datetime(2026, 1, 1, 1, tzinfo=UTC)}


def test_a_state_is_kept_as_its_word(store: Path) -> None:
    bulk.insert(Event, [event(type=WorkState.QUEUED)])
    assert Event.objects.get().type == "queued"


def test_a_relation_is_given_by_its_key(store: Path) -> None:
    from swf.epic.models import RunState

    Run.objects.create(run_number=1, namespace="testbed", start_time=NOW)
    bulk.insert(RunState, [{"run_id": 1, "state_changed_at": NOW, "updated_at": NOW}])
    assert RunState.objects.get().run.namespace == "testbed"


def test_many_rows_are_one_statement(store: Path) -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert bulk.insert(Counter, [{"name": f"c{n}", "value": n} for n in range(500)]) == 500
    assert len(queries) == 1
    assert Counter.objects.count() == 500


def test_nothing_is_done_with_no_rows(store: Path) -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert bulk.insert(Counter, []) == 0
        assert bulk.update(Counter, []) == 0
    assert len(queries) == 0


def test_rows_that_are_there_are_passed_over_if_asked_for(store: Path) -> None:
    Counter.objects.create(name="a", value=1)
    rows = [{"name": "a", "value": 2}, {"name": "b", "value": 3}]
    assert bulk.insert(Counter, rows, or_ignore=True) == 1
    assert dict(Counter.objects.values_list("name", "value")) == {"a": 1, "b": 3}
    with pytest.raises(IntegrityError):
        bulk.insert(Counter, rows)


def test_only_repeats_are_passed_over(store: Path) -> None:
    with pytest.raises(IntegrityError, match=r"(?i)not.null"):
        bulk.insert(Product, [product("x", adler32=None)], or_ignore=True)


def test_a_field_that_the_model_does_not_have_is_named(store: Path) -> None:
    with pytest.raises(ValueError, match="Counter has no field colour"):
        bulk.insert(Counter, [{"name": "a", "colour": "red"}])


def test_rows_are_updated_one_by_one_in_one_round_trip(store: Path) -> None:
    bulk.insert(Counter, [{"name": f"c{n}", "value": 0} for n in range(100)])
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert bulk.update(Counter, [({"value": n}, {"name": f"c{n}"}) for n in range(100)]) == 100
    assert len(queries) == 1
    assert all(row.name == f"c{row.value}" for row in Counter.objects.all())


def test_a_row_found_by_its_old_value_is_compared_and_set(store: Path) -> None:
    bulk.insert(Counter, [{"name": "a", "value": 1}, {"name": "b", "value": 1}])
    Counter.objects.filter(name="b").update(value=5)
    assert bulk.update(Counter, [({"value": 2}, {"name": name, "value": 1}) for name in "ab"]) == 1
    assert dict(Counter.objects.values_list("name", "value")) == {"a": 2, "b": 5}


def test_values_of_every_kind_are_updated(store: Path) -> None:
    SystemAgent.objects.create(instance_name="a", agent_type="data", namespace="testbed")
    new = {"last_heartbeat": NOW, "metadata": {"a": 1}, "pid": None, "status": SystemAgent.Status.ERROR}
    assert bulk.update(SystemAgent, [(new, {"instance_name": "a"})]) == 1
    row = SystemAgent.objects.get()
    assert (row.last_heartbeat, row.metadata, row.pid, row.status) == (NOW, {"a": 1}, None, "ERROR")
