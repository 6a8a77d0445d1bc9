"""The latest rows of the log: whatever goes, a place in them is either kept whole or known to be lost."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from swf.monitor.live.recent import Recent
from swf.store.events import ALL, EventFilter
from swf.store.models import Event


def row(seq: int, *, namespace: str = "testbed", body: str = "{}") -> Event:
    return Event(
        seq=seq,
        kind="transition",
        type="claim",
        namespace=namespace,
        sender="a",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        body=body,
    )


def numbers(data: bytes) -> list[int]:
    return [int(line[4:]) for line in data.splitlines() if line.startswith(b"id: ")]


@settings(deadline=None)
@given(batches=st.lists(st.integers(1, 9), max_size=6), most=st.integers(1, 15), begin=st.integers(0, 100))
def test_what_is_kept_is_everything_behind_the_floor(batches: list[int], most: int, begin: int) -> None:
    recent, last = Recent(begin, most_rows=most), begin
    for size in batches:
        recent.add([row(last + number) for number in range(1, size + 1)])
        last += size
        assert recent.head == last
        assert recent.head - recent.floor == min(most, last - begin)
        for place in range(recent.floor, last + 1):
            piece = recent.after(place, ALL)
            assert numbers(piece.data) == list(range(place + 1, last + 1))
            assert (piece.seq, piece.events) == (last, last - place)
            assert recent.behind(place) == last - place


def test_large_rows_go_sooner_and_a_piece_has_a_bounded_size() -> None:
    recent = Recent(0, most_bytes=1_000_000)
    body = '{"text": "' + "x" * 40_000 + '"}'
    recent.add([row(seq, body=body) for seq in range(1, 101)])
    assert (recent.head, recent.floor) == (100, 76)
    piece = recent.after(76, ALL)
    assert numbers(piece.data) == [77, 78]
    assert piece.seq == 78


def test_a_reader_moves_on_past_rows_that_it_does_not_want() -> None:
    recent = Recent(0)
    recent.add([row(1), row(2, namespace="mine"), row(3)])
    piece = recent.after(0, EventFilter(namespaces=frozenset({"mine"})))
    assert (numbers(piece.data), piece.events, piece.seq) == ([2], 1, 3)
    nothing = recent.after(0, EventFilter(namespaces=frozenset()))
    assert (nothing.data, nothing.seq) == (b"", 3)
