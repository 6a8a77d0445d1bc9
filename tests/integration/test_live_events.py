"""Live events by a real server: nothing is missing, nothing comes twice, nobody sees what is not theirs."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import TESTER, logged_in, token_of, user_with
from event_rows import event_row, write
from services.monitor import (
    STREAM,
    EventReader,
    Received,
    StreamServer,
    monitor_process,
    stream_server,
    within_patience,
)
from store_fixture import opened
from swf.core.times import SystemClock
from swf.monitor.live.feed import FeedLimits
from swf.store.models import Event
from swf.web import accounts
from swf.web.roles import Role


@pytest.fixture
def data_dir(tmp_path: Path, store_template: Path) -> Iterator[Path]:
    """A data directory with an empty store, which this process uses as well."""
    root = tmp_path / "data"
    root.mkdir()
    shutil.copyfile(store_template, root / "swf.sqlite3")
    with opened(root / "swf.sqlite3"):
        yield root


@pytest.fixture
def token(store: Path) -> str:
    """A token of somebody who may see everything."""
    return token_of(user_with("ann", {"*": Role.VIEWER}), Role.VIEWER)


@pytest.fixture
def server(store: Path) -> Iterator[StreamServer]:
    with stream_server(FeedLimits()) as served:
        yield served


def everything() -> list[int]:
    return [seq for seq in Event.objects.order_by("seq").values_list("seq", flat=True) if seq is not None]


def test_a_hundred_reconnects_during_writes_miss_nothing_and_get_nothing_twice(data_dir: Path) -> None:
    shown = token_of(user_with("ann", {"*": Role.VIEWER}), Role.VIEWER)
    chance = random.Random(7)
    ended = threading.Event()

    def writer() -> None:
        number = 0
        while not ended.wait(0.005):
            write(*(event_row(f"s{number}.{part}") for part in range(chance.randint(1, 20))))
            number += 1

    seen: list[int] = []
    with monitor_process(data_dir) as url:
        thread = threading.Thread(target=writer)
        thread.start()
        try:
            for _ in range(100):
                with EventReader(url, shown, "after=0", seen[-1] if seen else None) as reader:
                    assert reader.status == 200, reader.text()
                    seen += [event.seq for event in reader.take(chance.randint(1, 40))]
        finally:
            ended.set()
            thread.join()
        left = len(everything()) - len(seen)
        if left:
            with EventReader(url, shown, last=seen[-1]) as reader:
                seen += [event.seq for event in reader.take(left)]
    assert len(seen) > 500
    assert seen == everything()


def test_an_event_is_what_rest_gives_and_each_reader_is_given_the_new_ones(server: StreamServer, token: str) -> None:
    write(event_row("before"))
    with EventReader(server.url, token) as reader, EventReader(server.url, token, "after=0") as other:
        assert reader.headers["content-type"] == "text/event-stream; charset=utf-8"
        write(event_row("now", run_number=7, type="stf_gen\nid: 99"))
        (event,) = reader.take(1)
        assert [each.data["subject"] for each in other.take(2)] == ["before", "now"]
        client = logged_in("ben")
        page = client.get("/api/v1/events", {"sort": "seq", "after": event.seq - 1})
    assert page.json()["items"] == [event.data]
    assert client.get(f"/api/v1/events/{event.seq}").json() == event.data
    assert (event.data["subject"], event.type) == ("now", "stf_gen id: 99")
    assert server.figure("swf_monitor_stream_events_total") == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("run=1", ["a"]),
        ("execution=e-1", ["b"]),
        ("kind=message", ["c"]),
        ("kind=message,transition", ["a", "b", "c", "d", "e", "f"]),
        ("type=other", ["d"]),
        ("sender=me", ["e"]),
        ("subject=b", ["b"]),
        ("namespace=testbed", ["a", "b", "c", "d", "e"]),
    ],
)
def test_filters_leave_what_is_wanted_from_the_store_and_live(
    server: StreamServer, token: str, query: str, expected: list[str]
) -> None:
    def rows() -> None:
        write(
            event_row("a", run_number=1),
            event_row("b", execution_id="e-1"),
            event_row("c", kind="message"),
            event_row("d", type="other"),
            event_row("e", sender="me"),
            event_row("f", namespace="other", run_number=2, execution_id="e-2"),
        )

    rows()
    with EventReader(server.url, token, f"after=0&{query}") as reader:
        assert subjects(reader.take(len(expected))) == expected
        rows()
        assert subjects(reader.take(len(expected))) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("color=red", "color"),
        ("run=x", "run"),
        ("run=1&run=2", "run"),
        ("kind=letter", "kind"),
        ("after=-1", "after"),
        ("after=999", "after"),
        ("sender=", "sender"),
        ("type=%00", "type"),
        ("type=%ff", "query"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_name(
    server: StreamServer, token: str, query: str, field: str
) -> None:
    with EventReader(server.url, token, query) as reader:
        assert reader.status == 422
        assert reader.headers["content-type"] == "application/problem+json"
        assert f'"name": "{field}"' in reader.text()


def test_a_reader_sees_its_namespaces_only_and_its_place_moves_on(store: Path) -> None:
    mine = token_of(user_with("ben", {"mine": Role.VIEWER}), Role.VIEWER)
    none = token_of(user_with("eve", {}), Role.VIEWER)
    with stream_server(FeedLimits(heartbeat_s=0.2)) as server:
        write(event_row("theirs", namespace="theirs"), event_row("old", namespace="mine"))
        with EventReader(server.url, mine, "after=0") as reader:
            assert subjects(reader.take(1)) == ["old"]
            write(event_row("theirs too", namespace="theirs"), event_row("new", namespace="mine"))
            assert subjects(reader.take(1)) == ["new"]
        for query in ("after=0&namespace=theirs", "after=0&subject=theirs"):
            with EventReader(server.url, mine, query) as reader:
                beating(reader)
                # Nothing came, and it need not go through those rows again.
                assert reader.last == 4
        with EventReader(server.url, none) as reader:
            assert reader.status == 403
        with EventReader(server.url, "swf_nothing") as reader:
            assert reader.status == 401


def test_a_slow_reader_is_dropped_and_others_go_on(store: Path, token: str) -> None:
    with stream_server(FeedLimits(behind=200)) as server, EventReader(server.url, token) as quick:
        slow = slow_reader(server.url, token)
        wait_for(server, "swf_monitor_stream_clients", 2)
        body = '{"text": "' + "x" * 20_000 + '"}'
        written = 0
        while not server.figure("swf_monitor_streams_dropped_total"):
            write(*(event_row(f"s{written}.{part}", body=body) for part in range(50)))
            written += 50
            assert len(quick.take(50)) == 50
            assert written < 10_000
        assert server.figure("swf_monitor_streams_dropped_total") == 1
        wait_for(server, "swf_monitor_stream_clients", 1)
        write(event_row("last"))
        assert subjects(quick.take(1)) == ["last"]
        # What it had been sent is whole, and it can go on behind that.
        got = drained(slow)
        came_to = max(int(line[4:]) for line in got[: got.rindex("\n\n") + 2].splitlines() if line.startswith("id: "))
        with EventReader(server.url, token, last=came_to) as again:
            assert [event.seq for event in again.take(written + 1 - came_to)] == everything()[came_to:]


def test_a_reader_that_takes_nothing_of_the_past_is_dropped(store: Path, token: str) -> None:
    body = '{"text": "' + "x" * 100_000 + '"}'
    for part in range(10):
        write(*(event_row(f"s{part}.{number}", body=body) for number in range(20)))
    with stream_server(FeedLimits(stall_s=0.3)) as server:
        slow = slow_reader(server.url, token, "after=0")
        wait_for(server, "swf_monitor_streams_dropped_total", 1)
        slow.close()


def test_a_restart_of_the_server_loses_nothing(data_dir: Path) -> None:
    shown = token_of(user_with("ann", {"*": Role.VIEWER}), Role.VIEWER)
    with contextlib.ExitStack() as held:
        with monitor_process(data_dir) as url:
            reader = held.enter_context(EventReader(url, shown))
            write(event_row("first"))
            assert subjects(reader.take(1)) == ["first"]
            port = int(url.rpartition(":")[2])
        # The server ended the stream in good order.
        assert list(reader.events()) == []
    write(event_row("meanwhile"))
    with monitor_process(data_dir, port) as url, EventReader(url, shown, last=reader.last) as again:
        write(event_row("then"))
        assert subjects(again.take(2)) == ["meanwhile", "then"]


def test_a_revoked_token_ends_its_stream(store: Path) -> None:
    user = user_with("ann", {"*": Role.VIEWER})
    shown = token_of(user)
    with stream_server(FeedLimits(), look_s=0.1) as server, EventReader(server.url, shown) as reader:
        accounts.revoke_token(TESTER, shown.split("_")[1])
        assert list(reader.events()) == []


def test_there_are_not_too_many_readers(store: Path, token: str) -> None:
    with stream_server(FeedLimits(readers=1)) as server, EventReader(server.url, token) as one:
        assert one.status == 200
        with EventReader(server.url, token) as two:
            assert two.status == 503
            assert two.headers["retry-after"]


def subjects(events: list[Received]) -> list[str]:
    return [event.data["subject"] for event in events]


def beating(reader: EventReader) -> None:
    """Wait for two heartbeats, and for no event."""
    for raw in reader._answer:
        assert not raw.startswith(b"data")
        reader.comments += raw.startswith(b":")
        if raw.startswith(b"id: "):
            reader.last = int(raw[4:])
        if reader.comments == 2:
            return


def slow_reader(url: str, token: str, query: str = "") -> socket.socket:
    """A reader that asks, and then takes nothing."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(60)
    slow.connect(("127.0.0.1", int(url.rpartition(":")[2])))
    asked = f"GET {STREAM}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    slow.sendall(asked.encode())
    return slow


def drained(slow: socket.socket) -> str:
    """All that it was sent, until the server closed the connection; chunk by chunk."""
    raw = b""
    while piece := slow.recv(1 << 20):
        raw += piece
    slow.close()
    text, rest = b"", raw.partition(b"\r\n\r\n")[2]
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        text, rest = text + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return text.decode(errors="ignore")


def wait_for(server: StreamServer, figure: str, value: float) -> None:
    """Wait until a figure has a value."""
    clock, deadline = SystemClock(), within_patience()
    while server.figure(figure) != value:
        assert clock.monotonic() < deadline, f"{figure} is {server.figure(figure)}, not {value}"
        threading.Event().wait(0.02)
