"""What every request passes before anything else, whoever serves it: Django, live events or tools.

The Host header, how often and how much, the headers of security, the figures and the access log.
"""

from __future__ import annotations

import json
import math
import traceback
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from django.http.request import split_domain_port, validate_host

from swf.core.ids import IdSource
from swf.core.times import Clock
from swf.monitor.asgi import Application, Receive, Scope, Send
from swf.monitor.figures import Figures
from swf.monitor.headers import secured
from swf.monitor.limits import Buckets
from swf.service.logs import Log
from swf.web.problems import MEDIA_TYPE, Problem, problem

UNSIGNED_COST: Final = 10.0
"""What a request that is refused for want of a login costs its address: tokens are not found by trying."""
ADDRESS_BYTES: Final = 8 * 1024
HEADER_BYTES: Final = 32 * 1024
_OF_ADDRESS: Final = 8.0
_BURST: Final = 4.0
_SECRET_PATHS: Final = ("/login/once/",)
"""Addresses that hold a secret behind this: logs do not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is let through."""

    hosts: tuple[str, ...]
    """Names by which the monitor may be called; the ports do not count."""
    cookie: str
    """The name of the session's cookie."""
    tls: bool
    request_limit: int
    """The longest body, in bytes."""
    requests_per_s: float
    """For one login or token."""


class _TooLongError(Exception):
    """The body of a request goes on beyond what is taken."""


class Guard:
    """An application before another one."""

    def __init__(
        self, inner: Application, policy: Policy, *, figures: Figures, log: Log, clock: Clock, ids: IdSource
    ) -> None:
        self._inner = inner
        self._policy = policy
        self._figures = figures
        self._log = log
        self._clock = clock
        self._ids = ids
        rate = policy.requests_per_s
        self._of_one = Buckets(rate, rate * _BURST, clock)
        self._of_address = Buckets(rate * _OF_ADDRESS, rate * _OF_ADDRESS * _BURST, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        request = _Request(scope, receive, send, self._policy, str(self._ids.new()), self._clock.monotonic())
        scope["swf.request_id"] = request.number
        refusal = self._refusal(request)
        if refusal is not None:
            why, what, wait_s = refusal
            self._figures.refused(why)
            await request.refuse(what, wait_s)
        else:
            await self._serve(request)
        self._note(request)

    async def _serve(self, request: _Request) -> None:
        try:
            await self._inner(request.scope, request.receive, request.send)
        except _TooLongError:
            self._figures.refused("too long")
            await request.refuse(_too_long(self._policy.request_limit))
        except Exception as error:  # noqa: BLE001 - the boundary of a request: whatever it was, the caller gets an answer
            self._log.error(
                "request.failed",
                request=request.number,
                path=request.shown_path,
                error=f"{type(error).__name__}: {error}",
                traceback="".join(traceback.format_exception(error)),
            )
            text = f"this is a fault of the monitor: it is request {request.number} in its log"
            await request.refuse(problem(500, text))

    def _refusal(self, request: _Request) -> tuple[str, Problem, float] | None:
        """Why a request is not even looked at: a word for the figures, the answer, and when to come again."""
        domain, _ = split_domain_port(request.header("host"))
        if not domain or not validate_host(domain, list(self._policy.hosts)):
            text = "the monitor is not called by this name; [monitor] hosts names those by which it may be"
            return "host", problem(400, text), 0.0
        length = request.header("content-length")
        if length and (not length.isascii() or not length.isdigit() or int(length) > self._policy.request_limit):
            return "too long", _too_long(self._policy.request_limit), 0.0
        scope = request.scope
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > ADDRESS_BYTES:
            return "too long", problem(414, f"an address may have {ADDRESS_BYTES} bytes"), 0.0
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
            return "too long", problem(431, f"the headers of a request may have {HEADER_BYTES} bytes"), 0.0
        wait_s = self._of_address.wait_s(request.address) or self._of_one.wait_s(request.identity())
        if wait_s:
            return "too often", problem(429, f"too many requests; come again in {math.ceil(wait_s)} s"), wait_s
        return None

    def _note(self, request: _Request) -> None:
        scope = request.scope
        route = str(scope.get("swf.route", request.prefix))
        seconds = self._clock.monotonic() - request.began
        self._figures.answered(route, str(scope["method"]), request.status, seconds, stream=request.is_stream)
        if request.status in {401, 403}:
            self._of_address.charge(request.address, UNSIGNED_COST)
        self._log.info(
            "request",
            request=request.number,
            method=scope["method"],
            path=request.shown_path,
            route=route,
            status=request.status,
            ms=round(seconds * 1000, 1),
            bytes=request.sent,
            address=request.address,
            user=str(scope.get("swf.user", "")),
        )


class _Request:
    """One request, and what becomes of it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, policy: Policy, number: str, began: float) -> None:
        self.scope = scope
        self.number = number
        self.began = began
        self.status = 0
        self.sent = 0
        self.is_stream = False
        self._receive = receive
        self._send = send
        self._policy = policy
        self._received = 0
        self.address = str((scope.get("client") or ("unknown", 0))[0])

    def header(self, name: str) -> str:
        """A header's value; empty where it is not there."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted), "")

    def identity(self) -> str:
        """Who asks, as far as it can be told without a look at the store: a digest of the token or session shown."""
        shown = self.header("authorization")
        if not shown:
            try:
                morsel = SimpleCookie(self.header("cookie")).get(self._policy.cookie)
            except CookieError:
                morsel = None
            shown = "" if morsel is None else morsel.value
        return sha256(shown.encode()).hexdigest() if shown else self.address

    @property
    def prefix(self) -> str:
        """The route of a request that Django has not seen: the first part of its path would be anybody's choice."""
        return "unknown"

    @property
    def shown_path(self) -> str:
        """The path as logs have it."""
        path = str(self.scope["path"])
        for secret in _SECRET_PATHS:
            if path.startswith(secret):
                return f"{secret}..."
        return path[:500]

    async def receive(self) -> Any:
        """The next part of the body."""
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._policy.request_limit:
            raise _TooLongError
        return message

    async def send(self, message: Any) -> None:
        """A part of the answer."""
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]
            self.is_stream = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers
            )
            headers.append((b"x-request-id", self.number.encode()))
            message = {**message, "headers": secured(headers, tls=self._policy.tls)}
        elif message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, what: Problem, wait_s: float = 0.0) -> None:
        """Answer with a problem, unless an answer has begun."""
        if self.status:
            return
        body = json.dumps(what.as_json()).encode()
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        if wait_s:
            headers.append((b"retry-after", str(math.ceil(wait_s)).encode()))
        await self.send({"type": "http.response.start", "status": what.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": b"" if self.scope["method"] == "HEAD" else body})


def _too_long(limit: int) -> Problem:
    return problem(413, f"the body of a request may have {limit} bytes; send less at a time")
