"""A filter of events leaves the same rows in the store and among those that were read already."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from event_rows import event_row, write
from swf.store import events
from swf.store.events import ALL, EventFilter
from swf.store.models import Event

FILTERS = (
    ALL,
    EventFilter(namespace="b"),
    EventFilter(run_number=2),
    EventFilter(execution_id="e-1"),
    EventFilter(subject="s3"),
    EventFilter(sender="me"),
    EventFilter(kind=Event.Kind.MESSAGE),
    EventFilter(types=frozenset({"x", "y"})),
    EventFilter(namespaces=frozenset({"a"})),
    EventFilter(namespaces=frozenset({"a", "b"}), run_number=1),
    EventFilter(namespaces=frozenset()),
    EventFilter(namespace="b", namespaces=frozenset({"a"})),
)


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_has_and_rows_agree(store: Path, wanted: EventFilter) -> None:
    write(
        *(
            event_row(
                f"s{number}",
                namespace="ab"[number % 2],
                run_number=(None, 1, 2)[number % 3],
                execution_id=("", "e-1")[number // 6],
                sender=("me", "you")[number % 4 // 2],
                kind=("message", "transition")[number % 5 // 3],
                type="xyz"[number % 3],
            )
            for number in range(12)
        )
    )
    every = events.after(0, 100)
    assert len(every) == 12
    assert events.after(0, 100, wanted) == [row for row in every if wanted.has(row)]
    assert events.between(3, 9, 4, wanted) == [row for row in every if wanted.has(row) and 3 < (row.seq or 0) <= 9][:4]


@pytest.mark.parametrize("wanted", [FILTERS[5], FILTERS[2], FILTERS[8]], ids=str)
def test_a_window_is_found_by_an_index(store: Path, wanted: EventFilter) -> None:
    write(*(event_row(f"s{number}", run_number=number % 7) for number in range(200)))
    rows = wanted.rows().filter(seq__gt=10, seq__lte=30).order_by("seq")[:100]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
    plan = rows.explain()
    assert "seq" in plan.lower()
    assert "SCAN store_event\n" not in f"{plan}\n"
    assert "Seq Scan" not in plan
