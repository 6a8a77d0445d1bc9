"""What every request passes before anything else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from swf.core.ids import CountingIds
from swf.core.times import ManualClock
from swf.monitor.asgi import Application, Receive, Scope, Send
from swf.monitor.figures import Figures
from swf.monitor.guard import Guard, Policy
from swf.service.logs import LogSink

LIMIT = 1000


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and answers with its length."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/html")]})
    await send({"type": "http.response.body", "body": str(length).encode()})


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """Fails."""
    raise ZeroDivisionError("of the test")


class Answer:
    """What a client gets."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        start, *parts = messages
        assert start["type"] == "http.response.start"
        self.status: int = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        self.body = b"".join(part["body"] for part in parts)


class Bench:
    """A guard with its parts, asked from within the process."""

    def __init__(self, folder: Path, inner: Application, *, tls: bool = False, rate: float = 5.0) -> None:
        self.clock = ManualClock()
        self.log = folder / "monitor.log"
        self.sink = LogSink(self.log, "monitor", self.clock, to_store=False)
        self.figures = Figures()
        policy = Policy(
            hosts=("monitor.example", "127.0.0.1"), cookie="s", tls=tls, request_limit=LIMIT, requests_per_s=rate
        )
        self.guard = Guard(
            inner,
            policy,
            figures=self.figures,
            log=self.sink.logger("monitor"),
            clock=self.clock,
            ids=CountingIds(),
        )

    def ask(
        self,
        *,
        path: str = "/",
        method: str = "GET",
        body: Iterable[bytes] = (b"",),
        client: str = "10.0.0.1",
        **headers: str,
    ) -> Answer:
        said = {"host": "monitor.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.encode(), value.encode()) for name, value in said.items()],
            "client": (client, 1),
        }
        parts = list(body)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.guard(scope, receive, send))
        return Answer(sent)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


Benches = Callable[..., Bench]


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Benches]:
    """Makes guards, whose logs are closed at the end."""
    with ExitStack() as closing:

        def make(inner: Application, **how: Any) -> Bench:
            made = Bench(tmp_path, inner, **how)
            closing.callback(made.sink.close)
            return made

        yield make


@pytest.fixture
def bench(benches: Benches) -> Bench:
    return benches(echo)


def test_every_answer_has_the_headers_of_security(bench: Bench) -> None:
    for answer in (bench.ask(), bench.ask(host="evil.example")):
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-request-id"]
        assert "strict-transport-security" not in answer.headers
    assert bench.ask().headers["cache-control"] == "no-store"


def test_behind_tls_browsers_are_told_to_stay_there(benches: Benches) -> None:
    assert "max-age=31536000" in benches(echo, tls=True).ask().headers["strict-transport-security"]


@pytest.mark.parametrize(
    "host", ["evil.example", "", "monitor.example.evil.example", "monitor.example/", "127.0.0.1@e"]
)
def test_another_name_is_refused(bench: Bench, host: str) -> None:
    assert bench.ask(host=host).status == 400
    assert 'swf_monitor_refused_total{why="host"} 1.0' in bench.figures.text().decode()


@pytest.mark.parametrize("host", ["monitor.example", "MONITOR.example:8080", "127.0.0.1:1"])
def test_its_own_names_are_let_through(bench: Bench, host: str) -> None:
    assert bench.ask(host=host).status == 200


class TestLength:
    def test_a_body_that_is_said_to_be_too_long_is_not_read(self, bench: Bench) -> None:
        assert bench.ask(method="POST", content_length=str(LIMIT + 1)).status == 413
        assert bench.ask(method="POST", content_length="9" * 500).status == 413
        assert bench.ask(method="POST", content_length="-1").status == 413

    def test_one_that_does_not_say_it_is_stopped(self, bench: Bench) -> None:
        answer = bench.ask(method="POST", body=[b"x" * 400] * 3)
        assert answer.status == 413
        assert json.loads(answer.body)["detail"] == f"the body of a request may have {LIMIT} bytes; send less at a time"

    def test_one_of_the_limit_passes(self, bench: Bench) -> None:
        assert bench.ask(method="POST", body=[b"x" * 500] * 2).body == b"1000"


class TestRate:
    def test_who_asks_too_often_waits(self, bench: Bench) -> None:
        assert [bench.ask(authorization="Bearer a").status for _ in range(21)] == [200] * 20 + [429]
        assert bench.ask(authorization="Bearer a").headers["retry-after"] == "1"
        assert bench.ask(authorization="Bearer b").status == 200
        assert bench.ask(cookie="s=1; t=2").status == 200
        bench.clock.advance(0.2)
        assert bench.ask(authorization="Bearer a").status == 200

    def test_another_token_each_time_does_not_help(self, bench: Bench) -> None:
        statuses = [bench.ask(authorization=f"Bearer {number}").status for number in range(161)]
        assert statuses == [200] * 160 + [429]
        assert bench.ask(authorization="Bearer x", client="10.0.0.2").status == 200

    def test_tokens_are_not_found_by_trying(self, benches: Benches) -> None:
        async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        bench = benches(refuses)
        statuses = [bench.ask(authorization=f"Bearer {number}").status for number in range(30)]
        assert statuses.count(401) < 20


class TestFailure:
    def test_the_caller_gets_a_number_and_the_log_the_rest(self, benches: Benches) -> None:
        bench = benches(broken)
        answer = bench.ask()
        assert answer.status == 500
        assert b"ZeroDivision" not in answer.body
        number = answer.headers["x-request-id"]
        assert number in json.loads(answer.body)["detail"]
        failed = next(line for line in bench.lines() if line["event"] == "request.failed")
        assert failed["request"] == number
        assert "ZeroDivisionError: of the test" in failed["traceback"]


def test_a_request_is_logged_without_secrets(bench: Bench) -> None:
    bench.ask(path="/login/once/the-secret", authorization="Bearer the-secret", cookie="s=the-secret")
    (line,) = bench.lines()
    assert (line["path"], line["status"], line["address"]) == ("/login/once/...", 200, "10.0.0.1")
    assert "the-secret" not in bench.log.read_text()


def test_figures_do_not_grow_with_what_is_asked(bench: Bench) -> None:
    for number in range(20):
        bench.ask(path=f"/{number}", method=f"VERB{number}")
    text = bench.figures.text().decode()
    assert text.count("swf_monitor_requests_total{") == 1
